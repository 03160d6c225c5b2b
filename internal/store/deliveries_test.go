package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
)

// sentMail makes a message that the server took, to an address.
func sentMail(t testing.TB, s *store.Store, visit int, to string) email.Message {
	t.Helper()
	contact := ingest(t, s, start, identify(uuid.NewString(), uuid.NewString(), map[string]any{"email": to}))[0].ContactID
	m := email.Message{
		ID: uuid.NewString(), ContactID: contact, StepID: "welcome", Visit: visit, Template: "welcome", TemplateVersion: 1, Class: email.Marketing, State: email.Queued,
		ToAddress: to, Subject: "Welcome", Raw: []byte("x"), MessageID: uuid.NewString() + "@example.test", CreatedAt: start, UpdatedAt: start,
	}
	insertMessage(t, s, m)
	claimed, err := claim(t.Context(), s, contact, m.ID, start.Add(time.Minute), start)
	require.NoError(t, err)
	finish(t, s, claimed, email.Delivery{Outcome: email.OutcomeAccepted, Code: 250}, email.Sent, "")
	return claimed
}

func finish(t testing.TB, s *store.Store, m email.Message, d email.Delivery, state email.State, reason string) {
	t.Helper()
	applied, err := s.FinishMessage(t.Context(), m.ID, m.Fence, d, state, reason, start)
	require.NoError(t, err)
	require.True(t, applied)
}

func report(m email.Message, key string, status email.Status, bounce email.Bounce) email.Report {
	return email.Report{Source: "test", Key: key, Raw: []byte("raw " + key), MessageID: m.ID, Status: status, Bounce: bounce, Code: "5.1.1", At: start.Add(time.Minute)}
}

func take(t testing.TB, s *store.Store, now time.Time, reports ...email.Report) {
	t.Helper()
	require.NoError(t, s.TakeReports(t.Context(), now, reports))
}

func reportStates(t testing.TB, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT dedupe_key || ' ' || state FROM mail_reports ORDER BY 1")
	require.NoError(t, err)
	states, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return states
}

func TestReportsSuppress(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status email.Status
		bounce email.Bounce
		reason string
	}{
		{email.Bounced, email.Hard, "hard_bounce"}, {email.Complained, "", "complaint"},
		{email.Bounced, email.Soft, ""}, {email.Bounced, email.Block, ""}, {email.Delivered, "", ""}, {email.Delayed, "", ""},
	} {
		t.Run(string(tc.status)+string(tc.bounce), func(t *testing.T) {
			t.Parallel()
			s, conn := open(t)
			m := sentMail(t, s, 1, "Ana@example.test")
			other := sentMail(t, s, 1, "ben@example.test")
			take(t, s, start, report(m, "a", tc.status, tc.bounce))
			require.Equal(t, tc.reason, suppressed(t, s, m.ContactID, "ana@example.test"))
			require.Empty(t, suppressed(t, s, other.ContactID, "ben@example.test"))
			found, err := s.FindMessage(t.Context(), m.ID)
			require.NoError(t, err)
			require.Equal(t, email.NewReported(tc.status, tc.bounce, "5.1.1", start.Add(time.Minute)), *found.Delivery)
			entries, _, err := s.Timeline(t.Context(), m.ContactID, 0, 100)
			require.NoError(t, err)
			last := entries[len(entries)-1]
			require.Equal(t, store.EntryDelivery, last.Kind)
			require.Equal(t, []any{m.ID, tc.status, tc.reason != ""}, []any{last.Delivery.MessageID, last.Delivery.Status, last.Delivery.Suppressed})
			require.Equal(t, []string{"a applied"}, reportStates(t, conn))
		})
	}
}

func TestReportsCountOnce(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	m := sentMail(t, s, 1, "ana@example.test")
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			return s.TakeReports(context.Background(), start, []email.Report{report(m, "b", email.Bounced, email.Soft), report(m, "a", email.Delivered, "")})
		})
	}
	require.NoError(t, group.Wait())
	take(t, s, start, report(m, "u", "", ""), email.Report{Source: "test", Key: "x", MessageID: uuid.NewString(), Recipient: "Ben@example.test", Status: email.Bounced, Bounce: email.Hard})
	take(t, s, start, email.Report{Source: "test", Key: "y", MessageID: "nonsense", Status: email.Complained})
	require.Equal(t, []string{"a applied", "b applied", "u ignored", "x unmatched", "y unmatched"}, reportStates(t, conn))
	var deliveries int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM deliveries").Scan(&deliveries))
	require.Equal(t, 2, deliveries)
	require.Empty(t, suppressed(t, s, m.ContactID, "ben@example.test"), "a mail that is not ours suppresses nobody")
}

// Three soft bounces of as many messages within thirty days are too many; of one message, or over a longer time, they are not.
func TestSoftBouncesAddUp(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	soft := func(m email.Message, key string, day int) string {
		take(t, s, start.Add(time.Duration(day)*24*time.Hour), report(m, key, email.Bounced, email.Soft))
		return suppressed(t, s, m.ContactID, "ana@example.test")
	}
	first, second := sentMail(t, s, 1, "ana@example.test"), sentMail(t, s, 2, "ana@example.test")
	for i := range 4 {
		require.Empty(t, soft(first, fmt.Sprint("same", i), 0), "one message is one")
	}
	require.Empty(t, soft(second, "second", 29))
	third, fourth := sentMail(t, s, 3, "ana@example.test"), sentMail(t, s, 4, "ANA@example.test")
	require.Empty(t, soft(third, "third", 31), "the first is too old")
	require.Equal(t, "soft_bounces", soft(fourth, "fourth", 32))
}

// Who reports on a message whose fate was unknown shows that the server had taken it, whichever came first.
func TestReportsSettleUnknownFate(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for _, tc := range []struct {
		status email.Status
		bounce email.Bounce
		want   email.State
	}{{email.Delivered, "", email.Sent}, {email.Bounced, email.Soft, email.Sent}, {email.Complained, "", email.Sent}, {email.Delayed, "", email.Unknown}} {
		for _, early := range []bool{false, true} {
			to := uuid.NewString() + "@example.test"
			m := sentMail(t, s, 1, to)
			m.ID = uuid.NewString()
			m.Visit = 2
			insertMessage(t, s, func() email.Message { q := m; q.State, q.Attempt, q.LeaseUntil = email.Queued, 0, nil; return q }())
			m, err := claim(t.Context(), s, m.ContactID, m.ID, start.Add(time.Minute), start)
			require.NoError(t, err)
			said := report(m, m.ID, tc.status, tc.bounce)
			if early {
				take(t, s, start, said)
				_, err = s.ExpireLease(t.Context(), m.ID, start.Add(time.Hour))
				require.NoError(t, err)
			} else {
				finish(t, s, m, email.Delivery{Outcome: email.OutcomeUnknown}, email.Unknown, email.ReasonFateUnknown)
				take(t, s, start, said)
			}
			found, err := s.FindMessage(t.Context(), m.ID)
			require.NoError(t, err)
			require.Equal(t, tc.want, found.State, "%v %v", tc, early)
			require.Equal(t, tc.want == email.Sent, found.SentAt != nil && found.Reason == "")
		}
	}
}

// What the server says while it is handed a mail follows the same rules, in the transaction that records it.
func TestRefusalsSuppress(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for _, tc := range []struct{ phase, code, reason string }{
		{"rcpt", "5.1.1", "hard_bounce"}, {"rcpt", "5.7.26", ""}, {"rcpt", "5.1.8", ""}, {"rcpt", "", ""}, {"dot", "5.7.1", ""}, {"rcpt", "5.2.2", ""},
	} {
		to := uuid.NewString() + "@example.test"
		contact := ingest(t, s, start, identify(uuid.NewString(), uuid.NewString(), map[string]any{"email": to}))[0].ContactID
		m := email.Message{ID: uuid.NewString(), ContactID: contact, Template: "t", TemplateVersion: 1, Class: email.Marketing, State: email.Queued,
			ToAddress: to, MessageID: "x@y", CreatedAt: start, UpdatedAt: start}
		insertMessage(t, s, m)
		m, err := claim(t.Context(), s, contact, m.ID, start.Add(time.Minute), start)
		require.NoError(t, err)
		finish(t, s, m, email.Delivery{Outcome: email.OutcomeRejected, Phase: tc.phase, Code: 550, Enhanced: tc.code, Reply: "no"}, email.Rejected, email.ReasonHardBounce)
		require.Equal(t, tc.reason, suppressed(t, s, contact, to), tc.code)
		found, err := s.FindMessage(t.Context(), m.ID)
		require.NoError(t, err)
		require.Equal(t, email.Rejected, found.State)
	}
}

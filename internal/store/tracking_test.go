package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
)

// tracked writes a message with two tracked links.
func tracked(t *testing.T, s *store.Store, e journey.Enrollment) email.Message {
	t.Helper()
	m := queued(e, 1, email.Marketing)
	m.Tracked, m.Links = true, []string{"https://shop.example/a?for=ana", "https://shop.example/b"}
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) { require.NoError(t, tx.InsertMessage(ctx, m)) })
	return m
}

func person(link int, at time.Time) email.Click {
	return email.Click{Link: link, At: at, Actor: email.Human}
}

func TestAClickIsHeldThenAnEventAndCountedOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	e := enrolled(t, s)
	m := tracked(t, s, e)
	found, err := s.FindTracking(t.Context(), m.ID)
	require.NoError(t, err)
	require.Equal(t, store.Tracking{Links: m.Links}, found)
	at := start.Add(time.Hour)
	require.NoError(t, s.RecordClick(t.Context(), m.ID, person(0, at), at.Add(10*time.Second)))
	require.NoError(t, s.RecordClick(t.Context(), m.ID, person(0, at.Add(time.Second)), at.Add(11*time.Second)))
	due, err := s.DueClicks(t.Context(), at.Add(9*time.Second), 10)
	require.NoError(t, err)
	require.Empty(t, due, "it is held")

	due, err = s.DueClicks(t.Context(), at.Add(11*time.Second), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Len(t, due[0].Judged, 2)
	require.Len(t, due[0].Events, 1, "the same link again is the same event")
	event := due[0].Events[0]
	require.Equal(t, "https://shop.example/a", event.Properties["link"], "what is behind the path may be about one person")
	for i := range 2 { // a worker that died before it settled does it all again
		accepted, err := s.Ingest(t.Context(), at.Add(12*time.Second), due[0].Events)
		require.NoError(t, err)
		require.Equal(t, i > 0, accepted[0].Duplicate)
		require.NoError(t, s.SettleClicks(t.Context(), due[0].Judged))
	}
	require.NoError(t, s.RecordClick(t.Context(), m.ID, email.Click{Link: 1, At: at.Add(5 * time.Minute), Actor: email.Bot, Reason: email.ActorTool}, at))
	require.NoError(t, s.RecordClick(t.Context(), m.ID, email.Click{Link: 1, At: at.Add(9 * time.Minute), Actor: email.Bot, Reason: email.ActorHead}, at))
	due, err = s.DueClicks(t.Context(), at.Add(10*time.Minute), 10)
	require.NoError(t, err)
	require.Empty(t, due[0].Events)
	for range 2 {
		require.NoError(t, s.SettleClicks(t.Context(), due[0].Judged))
	}
	listed, err := s.ListMessages(t.Context(), email.MessageFilter{ContactID: e.ContactID}, "", 10)
	require.NoError(t, err)
	require.NotNil(t, listed.Items[0].ClickedAt)
	require.Equal(t, at, listed.Items[0].ClickedAt.UTC())
	require.Equal(t, 1, listed.Items[0].MachineClicks, "counted once, and the head is no click")
	tally, err := s.Tally(t.Context(), e.Journey, 0, nil, start, start)
	require.NoError(t, err)
	require.Equal(t, []journey.ClickTally{{Step: "welcome", Total: 1}}, tally.Clicks)
}

// A link can be followed before the ledger says that its mail was sent. What the ledger says later decides.
func TestAClickBeforeTheLedgerSaysSent(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	e := enrolled(t, s)
	m := tracked(t, s, e)
	sent := start.Add(time.Minute)
	at := sent.Add(-time.Second)
	require.NoError(t, s.RecordClick(t.Context(), m.ID, person(0, at), at.Add(time.Minute)))
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		claimed, err := tx.ClaimMessage(ctx, m.ID, sent.Add(time.Minute), start)
		require.NoError(t, err)
		m = claimed
	})
	ok, err := s.FinishMessage(t.Context(), m.ID, m.Fence, email.Delivery{}, email.Sent, "", sent)
	require.NoError(t, err)
	require.True(t, ok)
	due, err := s.DueClicks(t.Context(), at.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Empty(t, due[0].Events)
	require.Equal(t, email.ActorTooSoon, due[0].Judged[0].Reason)
}

func TestClicksAreBoundedForgottenAndErased(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	e := enrolled(t, s)
	m := tracked(t, s, e)
	count := func(table string) (n int) {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
		return n
	}
	for range 205 {
		require.NoError(t, s.RecordClick(t.Context(), m.ID, email.Click{Link: 0, At: start, Actor: email.Bot, Reason: email.ActorTool}, start))
	}
	require.Equal(t, 200, count("mail_clicks"))
	due, err := s.DueClicks(t.Context(), start, 10)
	require.NoError(t, err)
	require.NoError(t, s.ForgetClicks(t.Context(), start.Add(2*time.Hour)))
	require.Equal(t, 200, count("mail_clicks"), "what is not settled stays")
	require.NoError(t, s.SettleClicks(t.Context(), due[0].Judged))
	require.NoError(t, s.ForgetClicks(t.Context(), start.Add(time.Minute)))
	require.Equal(t, 200, count("mail_clicks"), "it tells something about later ones")
	require.NoError(t, s.ForgetClicks(t.Context(), start.Add(2*time.Hour)))
	require.Zero(t, count("mail_clicks"))

	require.NoError(t, s.RecordClick(t.Context(), m.ID, person(0, start), start))
	_, err = conn.Exec(t.Context(), "DELETE FROM messages WHERE contact_id = $1", e.ContactID) // as an erasure does
	require.NoError(t, err)
	require.Zero(t, count("mail_clicks")+count("message_tracking"))
	_, err = s.FindTracking(t.Context(), m.ID)
	requireFault(t, err, fault.NotFound, "unknown_link")
}

func TestWhoWantsNoTrackingIsNotTracked(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	e := enrolled(t, s)
	m := tracked(t, s, e)
	granted := func() (ok bool) {
		inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
			var err error
			ok, err = tx.TrackingConsent(ctx)
			require.NoError(t, err)
		})
		return ok
	}
	require.True(t, granted())
	require.NoError(t, s.SetConsent(t.Context(), e.ContactID, store.TopicTracking, false, "test", start))
	require.False(t, granted())
	found, err := s.FindTracking(t.Context(), m.ID)
	require.NoError(t, err)
	require.True(t, found.Silent, "mail from before leads on, and tells nothing")
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		refusal, err := tx.ConsentRefusal(ctx, "")
		ok := refusal == ""
		require.NoError(t, err)
		require.True(t, ok, "marketing mail may go on")
	})
}

func TestOpens(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	e := enrolled(t, s)
	m := tracked(t, s, e)
	require.NoError(t, s.RecordOpen(t.Context(), m.ID, email.Proxy, start))
	require.NoError(t, s.RecordOpen(t.Context(), m.ID, email.Human, start.Add(time.Minute)))
	require.NoError(t, s.RecordOpen(t.Context(), m.ID, email.Human, start.Add(time.Hour)))
	require.NoError(t, s.Engage(t.Context(), &m))
	require.Equal(t, start.Add(time.Minute), m.OpenedAt.UTC(), "the first")
	require.Equal(t, 1, m.MachineOpens)
}

package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
)

// What was asked ahead is what is asked: with and without, a send hears the same, and what changes within the transaction is not hidden.
func TestWhatASendAsksAhead(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	e := enrolled(t, s)
	sent := queued(e, 1, email.Marketing)
	_, err := conn.Exec(t.Context(), "UPDATE contacts SET email = 'ana@example.test', email_key = 'ana@example.test' WHERE id = $1", e.ContactID)
	require.NoError(t, err)
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.InsertMessage(ctx, sent))
	})
	since := start.Add(-time.Hour)
	ask := func(ctx context.Context, tx *store.ContactTx) (all []any) {
		m, err := tx.Message(ctx, sent.ID)
		require.NoError(t, err)
		reason, suppressed, err := tx.Suppressed(ctx, "ana@example.test")
		require.NoError(t, err)
		refusal, err := tx.ConsentRefusal(ctx, "news")
		require.NoError(t, err)
		tracked, err := tx.TrackingConsent(ctx)
		require.NoError(t, err)
		counted, err := tx.CountedMail(ctx, since)
		require.NoError(t, err)
		before, err := tx.HeldBefore(ctx, e.ID, 1)
		require.NoError(t, err)
		sales, err := tx.WithSales(ctx)
		require.NoError(t, err)
		return []any{m, reason, suppressed, refusal, tracked, counted, len(before), sales}
	}
	q := email.SendQuestions{MessageID: sent.ID, EnrollmentID: e.ID, Topic: "news", Marketing: true, Tracked: true, Priority: 1, Since: &since}
	for name, change := range map[string]func(){
		"nothing":      func() {},
		"suppressed":   func() { require.NoError(t, s.Suppress(t.Context(), "ana@example.test", "hard_bounce", start)) },
		"unsubscribed": func() { require.NoError(t, s.SetConsent(t.Context(), e.ContactID, "marketing", false, "form", start)) },
		"not tracked": func() {
			require.NoError(t, s.SetConsent(t.Context(), e.ContactID, store.TopicTracking, false, "form", start))
		},
		"another topic": func() { require.NoError(t, s.SetConsent(t.Context(), e.ContactID, "news", false, "form", start)) },
	} {
		change()
		inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
			plain := ask(ctx, tx)
			require.NoError(t, tx.PrepareSend(ctx, q))
			require.Equal(t, plain, ask(ctx, tx), name)
			require.Equal(t, plain, ask(ctx, tx), "asked once more")
			require.NoError(t, tx.PrepareSend(ctx, email.SendQuestions{MessageID: sent.ID}))
			require.Equal(t, plain, ask(ctx, tx), "asked for less")
		})
	}
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.PrepareSend(ctx, q))
		require.NoError(t, tx.HoldSend(ctx, e.ID, "news", 1, email.Verdict{Until: start, Reason: "capped"}))
		require.NoError(t, tx.ReleaseSend(ctx, e.ID))
		reason, err := tx.HoldReason(ctx, e.ID)
		require.NoError(t, err)
		require.Empty(t, reason, "what was held since is released")
		_, err = tx.Message(ctx, "no id")
		require.NoError(t, err)
	})
}

// A message that is written sending is one that was queued and claimed: it has its fence, its lease, and nobody else can claim it.
func TestMessagesAreWrittenClaimed(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	e := enrolled(t, s)
	until := start.Add(time.Minute)
	m := queued(e, 1, email.Marketing)
	m.State = email.Sending
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.Error(t, tx.InsertMessage(ctx, m), "it has no lease")
		m.LeaseUntil = &until
		require.NoError(t, tx.InsertMessage(ctx, m))
		_, err := tx.ClaimMessage(ctx, m.ID, until, start)
		require.Error(t, err)
	})
	found, err := s.FindMessage(t.Context(), m.ID)
	require.NoError(t, err)
	require.Equal(t, [3]any{1, int64(1), email.Sending}, [3]any{found.Attempt, found.Fence, found.State})
	done, err := s.FinishMessage(t.Context(), m.ID, 1, email.Delivery{Outcome: email.OutcomeAccepted, Code: 250}, email.Sent, "", start)
	require.NoError(t, err)
	require.True(t, done)
}

package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func TestTimelineIsInOrder(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s) // one event so far
	contact, err := s.FindContact(t.Context(), e.ContactID)
	require.NoError(t, err)
	want := []string{"event 1"}
	for n := 1; n <= 4; n++ {
		// All times are equal: the order is that of the journal.
		ingest(t, s, start, track(contact.UserID, "Step", fmt.Sprint(n)))
		ingest(t, s, start, track("somebody else", "Step", fmt.Sprint("else", n)))
		m := queued(e, n, email.Marketing)
		inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
			_, _, err := tx.RecordDecision(ctx, journey.Decision{EnrollmentID: e.ID, ContactID: e.ContactID, Visit: n, Kind: "send", Outcome: "next", At: start})
			require.NoError(t, err)
			require.NoError(t, tx.InsertMessage(ctx, m))
			_, _, err = tx.AddScore(ctx, n, "why", "", "", 0, start)
			require.NoError(t, err)
			_, _, err = tx.CreateHandoff(ctx, handoffOf(e, n))
			require.NoError(t, err)
		})
		want = append(want, fmt.Sprint("event ", n+1), fmt.Sprint("decision ", n), fmt.Sprint("message ", n), fmt.Sprint("score ", n), fmt.Sprint("handoff ", n))
	}
	for _, limit := range []int{1, 2, 3, 5, 7, len(want), 100} {
		var got []string
		var last int64
		for cursor, more := int64(0), true; more; {
			entries, next, err := s.Timeline(t.Context(), e.ContactID, cursor, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(entries), limit)
			for _, entry := range entries {
				require.Greater(t, entry.JournalID, last)
				require.Equal(t, start, entry.At)
				last = entry.JournalID
				got = append(got, describe(t, entry))
			}
			cursor, more = next, next != 0
		}
		require.Equal(t, want, got, "in pages of %d", limit)
	}
	for _, unknown := range []string{uuid.NewString(), "no id"} {
		_, _, err := s.Timeline(t.Context(), unknown, 0, 10)
		requireFault(t, err, fault.NotFound, "contact_not_found")
	}
}

func describe(t *testing.T, entry store.TimelineEntry) string {
	t.Helper()
	switch entry.Kind {
	case store.EntryEvent:
		return fmt.Sprint("event ", entry.Event.Seq)
	case store.EntryDecision:
		return fmt.Sprint("decision ", entry.Decision.Visit)
	case store.EntryMessage:
		require.Empty(t, entry.Message.HTML+entry.Message.Text+string(entry.Message.Raw))
		return fmt.Sprint("message ", entry.Message.Visit)
	case store.EntryHandoff:
		return fmt.Sprint("handoff ", entry.Handoff.Visit)
	case store.EntryScore:
		return fmt.Sprint("score ", entry.Score.Points)
	case store.EntryPause, store.EntryDelivery: // tested with pauses and with deliveries
	}
	return "unknown"
}

package store_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func TestInContact(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	id := newContact(t, s)
	nothing := func(context.Context, *store.ContactTx) error { return nil }
	for _, unknown := range []string{uuid.NewString(), "no id", ""} {
		requireFault(t, s.InContact(t.Context(), unknown, nothing), fault.NotFound, "contact_not_found")
	}
	no := errors.New("no")
	err := s.InContact(t.Context(), id, func(ctx context.Context, tx *store.ContactTx) error {
		require.NoError(t, tx.SetStage(ctx, "lead", "why", start))
		return no
	})
	require.ErrorIs(t, err, no)
	contact, err := s.FindContact(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "subscriber", contact.Stage, "an error takes everything back")

	// A failed statement spoils the transaction, also when its error is swallowed: that must not pass for a commit.
	err = s.InContact(t.Context(), id, func(ctx context.Context, tx *store.ContactTx) error {
		require.NoError(t, tx.SetStage(ctx, "lead", "why", start))
		require.Error(t, tx.UpdateContact(ctx, map[string]any{"n": hugeNumber{}}, nil, start))
		return nil
	})
	require.Error(t, err)
	require.Panics(t, func() {
		_ = s.InContact(t.Context(), id, func(ctx context.Context, tx *store.ContactTx) error { panic("no") })
	})
	ctx, cancel := context.WithCancel(t.Context())
	err = s.InContact(ctx, id, func(ctx context.Context, tx *store.ContactTx) error {
		cancel()
		return tx.SetStage(ctx, "lead", "why", start)
	})
	require.ErrorIs(t, err, context.Canceled)
	inContact(t, s, id, func(_ context.Context, tx *store.ContactTx) { require.Equal(t, "subscriber", tx.Contact().Stage) })
}

func TestInContactExcludes(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	id := newContact(t, s)
	group, ctx := errgroup.WithContext(t.Context())
	for range 8 {
		group.Go(func() error {
			for range 25 {
				if err := s.InContact(ctx, id, func(ctx context.Context, tx *store.ContactTx) error {
					return tx.UpdateContact(ctx, map[string]any{"n": number(tx.Contact().Traits["n"]) + 1}, nil, start)
				}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	contact, err := s.FindContact(t.Context(), id)
	require.NoError(t, err)
	require.InDelta(t, 200.0, contact.Traits["n"], 0, "read and write is one step")
}

func number(v any) float64 {
	f, _ := v.(float64)
	return f
}

func TestUpdateContact(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	taken := ingest(t, s, start, identify("bob", "b", map[string]any{"email": "bob@example.test"}))[0].ContactID
	id := newContact(t, s)
	later := start.Add(time.Hour)
	inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
		set := map[string]any{"plan": "pro", "email": "Ana@Example.test", "timezone": "Europe/Lisbon", "locale": "pt", "seats": 2, "gone": "x"}
		require.NoError(t, tx.UpdateContact(ctx, set, map[string]float64{"seats": 3, "logins": 1}, later))
		require.NoError(t, tx.UpdateContact(ctx, map[string]any{"gone": nil}, map[string]float64{"logins": -0.5}, later))
		got := tx.Contact()
		require.Equal(t, map[string]any{
			"plan": "pro", "email": "Ana@Example.test", "timezone": "Europe/Lisbon", "locale": "pt", "seats": 5.0, "logins": 0.5,
		}, got.Traits)
		require.Equal(t, []string{"Ana@Example.test", "Europe/Lisbon", "pt"}, []string{got.Email, got.Timezone, got.Locale})
		require.Equal(t, later, got.UpdatedAt)
		requireFault(t, tx.UpdateContact(ctx, nil, map[string]float64{"plan": 1}, later), fault.Invalid, "not_a_number")
		requireFault(t, tx.UpdateContact(ctx, map[string]any{"n": math.NaN()}, nil, later), fault.Invalid, "bad_value")
		require.NoError(t, tx.UpdateContact(ctx, map[string]any{"locale": nil}, nil, later))
		require.Empty(t, tx.Contact().Locale)
	})
	found, err := s.FindContactBy(t.Context(), store.KindEmail, "ana@example.test")
	require.NoError(t, err)
	require.Equal(t, id, found.ID)
	inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.UpdateContact(ctx, map[string]any{"email": "bob@example.test"}, nil, later))
		require.Equal(t, "bob@example.test", tx.Contact().Email)
	})
	found, err = s.FindContactBy(t.Context(), store.KindEmail, "bob@example.test")
	require.NoError(t, err)
	require.Equal(t, taken, found.ID, "an identity does not move")
}

func TestScoreAndStage(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		after, fresh, err := tx.AddScore(ctx, 10, "invited", e.ID, "score", 1, start)
		require.NoError(t, err)
		require.Equal(t, []any{10, true}, []any{after, fresh})
		after, _, err = tx.AddScore(ctx, 5, "by hand", "", "", 0, start)
		require.NoError(t, err)
		require.Equal(t, 15, after)
		after, fresh, err = tx.AddScore(ctx, 99, "again", e.ID, "score", 1, start)
		require.NoError(t, err)
		require.Equal(t, []any{10, false}, []any{after, fresh}, "a visit scores once")
		require.Equal(t, 15, tx.Contact().Score)
		_, _, err = tx.AddScore(ctx, math.MaxInt32, "too much", "", "", 0, start)
		requireFault(t, err, fault.Invalid, "score_out_of_range")
		reasons, err := tx.ScoreReasons(ctx, 10)
		require.NoError(t, err)
		require.Len(t, reasons, 2)
		require.Equal(t, []any{"by hand", 5, 15}, []any{reasons[0].Reason, reasons[0].Points, reasons[0].ScoreAfter}, "the newest first")
		require.NoError(t, tx.SetStage(ctx, "mql", "qualified", start))
		require.NoError(t, tx.SetStage(ctx, "mql", "again", start))
		requireFault(t, tx.SetStage(ctx, "", "", start), fault.Invalid, "bad_stage")
	})
	contact, err := s.FindContact(t.Context(), e.ContactID)
	require.NoError(t, err)
	require.Equal(t, []any{15, "mql"}, []any{contact.Score, contact.Stage})
	entries, _, err := s.Timeline(t.Context(), e.ContactID, 0, 100)
	require.NoError(t, err)
	var stages []string
	for _, entry := range entries {
		if entry.Decision != nil && entry.Decision.Kind == "stage" {
			stages = append(stages, entry.Decision.Outcome+" from "+entry.Decision.Detail["from"].(string))
		}
	}
	require.Equal(t, []string{"mql from subscriber"}, stages)
}

func TestMarkPending(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	inContact(t, s, newContact(t, s), func(ctx context.Context, tx *store.ContactTx) {
		for _, step := range []struct {
			after time.Duration
			poke  bool
		}{{0, true}, {time.Second, false}, {10 * time.Second, false}, {10*time.Second + 1, true}, {12 * time.Second, false}} {
			poke, err := tx.MarkPending(ctx, start.Add(step.after))
			require.NoError(t, err)
			require.Equal(t, step.poke, poke, step.after)
		}
	})
}

func TestEventsAndFacts(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	at := func(name, message string, occurred time.Time) audience.Incoming {
		e := track("ana", name, message)
		e.OccurredAt = occurred
		return e
	}
	accepted := ingest(t, s, start, at("A", "1", start.Add(-48*time.Hour)), at("B", "2", start), identify("ana", "3", nil),
		at("A", "4", start.Add(-time.Hour)), at("A", "5", start.Add(-3*time.Hour)))
	inContact(t, s, accepted[0].ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.EqualValues(t, 5, tx.LastSeq())
		event, err := tx.Event(ctx, 2)
		require.NoError(t, err)
		require.Equal(t, audience.Event{
			ID: accepted[1].EventID, MessageID: "2", ContactID: accepted[0].ContactID, Seq: 2, Type: audience.TypeTrack, Name: "B",
			Properties: map[string]any{"n": 1.0}, OccurredAt: start, ReceivedAt: start,
		}, event)
		byID, err := tx.EventByID(ctx, event.ID)
		require.NoError(t, err)
		require.Equal(t, event, byID)
		_, err = tx.Event(ctx, 9)
		requireFault(t, err, fault.NotFound, "event_not_found")
		_, err = tx.EventByID(ctx, "no id")
		requireFault(t, err, fault.NotFound, "event_not_found")

		seqs := func(events []audience.Event, err error) []int64 {
			require.NoError(t, err)
			out := []int64{}
			for _, e := range events {
				out = append(out, e.Seq)
			}
			return out
		}
		require.Equal(t, []int64{4, 5}, seqs(tx.EventsAfter(ctx, 1, []string{"A", "C", ""}, 10)))
		require.Equal(t, []int64{1, 2}, seqs(tx.EventsAfter(ctx, 0, []string{"A", "B"}, 2)))
		require.Empty(t, seqs(tx.EventsAfter(ctx, 0, nil, 10)))
		require.Empty(t, seqs(tx.EventsAfter(ctx, 5, []string{"A"}, 10)))
		require.Equal(t, []int64{5, 4, 2}, seqs(tx.RecentEvents(ctx, 3)))

		facts := tx.Facts(ctx, &event, start)
		for _, test := range []struct {
			name   string
			within time.Duration
			want   int
		}{{"A", 0, 3}, {"A", 2 * time.Hour, 1}, {"A", 3*time.Hour + time.Microsecond, 2}, {"A", 24 * time.Hour, 2}, {"Z", 0, 0}} {
			for range 2 { // the second answer is remembered
				tally, err := facts.Tally(audience.Question{Name: test.name, Within: test.within})
				n := tally.Count
				require.NoError(t, err)
				require.Equal(t, test.want, n)
			}
		}
		for range 2 {
			last, ok, err := facts.Last("A")
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, start.Add(-time.Hour), last)
			_, ok, err = facts.Last("Z")
			require.NoError(t, err)
			require.False(t, ok)
		}
		in, err := facts.InSegment("vip")
		require.NoError(t, err)
		require.False(t, in)
		require.Equal(t, []any{"", start, &event, "ana"}, []any{facts.Persona(), facts.Now(), facts.Event(), facts.Contact().UserID})
		require.Empty(t, facts.Company())
	})
	// Another contact's event is not found, even by its id.
	inContact(t, s, newContact(t, s), func(ctx context.Context, tx *store.ContactTx) {
		_, err := tx.EventByID(ctx, accepted[0].EventID)
		requireFault(t, err, fault.NotFound, "event_not_found")
	})
}

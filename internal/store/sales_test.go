package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func handoffOf(e journey.Enrollment, visit int) sales.Handoff {
	due := start.Add(24 * time.Hour)
	return sales.Handoff{
		ID: uuid.NewString(), ContactID: e.ContactID, EnrollmentID: e.ID, Journey: e.Journey, StepID: "to_sales", Visit: visit,
		Status: sales.HandoffOpen, Why: "Five seats", Score: 40, Stage: "mql", DueAt: &due, CreatedAt: start, UpdatedAt: start,
	}
}

func TestHandoff(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	h := handoffOf(e, 1)
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		recorded, fresh, err := tx.CreateHandoff(ctx, h)
		require.NoError(t, err)
		require.True(t, fresh)
		require.Equal(t, h, recorded)
		twin := h
		twin.ID = uuid.NewString()
		for _, repeated := range []sales.Handoff{h, twin} {
			recorded, fresh, err = tx.CreateHandoff(ctx, repeated)
			require.NoError(t, err)
			require.False(t, fresh)
			require.Equal(t, h, recorded)
		}
		h.Status, h.Owner = sales.HandoffAccepted, "ana"
		require.NoError(t, tx.UpdateHandoff(ctx, h))
		h.Owner = "bob"
		require.NoError(t, tx.UpdateHandoff(ctx, h), "given to somebody else")
		h.Status, h.Amount, h.UpdatedAt = sales.HandoffWon, 4900.5, start.Add(time.Hour)
		require.NoError(t, tx.UpdateHandoff(ctx, h))
		found, err := tx.Handoff(ctx, h.ID)
		require.NoError(t, err)
		require.Equal(t, h, found)
		missing := h
		missing.ID = uuid.NewString()
		requireFault(t, tx.UpdateHandoff(ctx, missing), fault.NotFound, "handoff_not_found")
		_, err = tx.Handoff(ctx, "no id")
		requireFault(t, err, fault.NotFound, "handoff_not_found")
	})
	found, err := s.FindHandoff(t.Context(), h.ID)
	require.NoError(t, err)
	require.Equal(t, h, found)
	inContact(t, s, newContact(t, s), func(ctx context.Context, tx *store.ContactTx) {
		_, err := tx.Handoff(ctx, h.ID)
		requireFault(t, err, fault.NotFound, "handoff_not_found")
	})
}

// TestHandoffTransitions walks every pair of statuses.
func TestHandoffTransitions(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	all := []sales.HandoffStatus{
		sales.HandoffOpen, sales.HandoffAccepted, sales.HandoffRejected, sales.HandoffWon, sales.HandoffLost, sales.HandoffExpired, sales.HandoffCancelled,
	}
	allowed := map[sales.HandoffStatus][]sales.HandoffStatus{
		sales.HandoffOpen:     {sales.HandoffOpen, sales.HandoffAccepted, sales.HandoffRejected, sales.HandoffExpired, sales.HandoffCancelled},
		sales.HandoffAccepted: {sales.HandoffAccepted, sales.HandoffWon, sales.HandoffLost, sales.HandoffExpired, sales.HandoffCancelled},
	}
	visit := 0
	for _, from := range all {
		for _, to := range all {
			visit++
			h := handoffOf(e, visit)
			h.Status = from
			inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
				_, _, err := tx.CreateHandoff(ctx, h)
				require.NoError(t, err)
				h.Status = to
				err = tx.UpdateHandoff(ctx, h)
				for _, next := range allowed[from] {
					if next == to {
						require.NoError(t, err, "%s to %s", from, to)
						return
					}
				}
				requireFault(t, err, fault.Conflict, "handoff_over")
			})
		}
	}
}

func TestListHandoffs(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	e := enrolled(t, s)
	var want []string
	for visit := range 5 {
		h := handoffOf(e, visit)
		if visit == 3 {
			h.Status = sales.HandoffLost
		}
		inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
			_, _, err := tx.CreateHandoff(ctx, h)
			require.NoError(t, err)
		})
		if visit != 3 {
			want = append([]string{h.ID}, want...)
		}
	}
	var got []string
	for cursor, more := "", true; more; {
		page, err := s.ListHandoffs(t.Context(), sales.HandoffOpen, cursor, 3)
		require.NoError(t, err)
		for _, h := range page.Items {
			got = append(got, h.ID)
		}
		cursor, more = page.Next, page.Next != ""
	}
	require.Equal(t, want, got)
	page, err := s.ListHandoffs(t.Context(), "", "", 100)
	require.NoError(t, err)
	require.Len(t, page.Items, 5)
}

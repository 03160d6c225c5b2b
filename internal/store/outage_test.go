package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
)

// TestOutage cuts every connection in the middle of a transaction: the caller learns that the database is away, nothing half is left, and
// the pool comes back by itself.
func TestOutage(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	id := newContact(t, s)
	err := s.InContact(t.Context(), id, func(ctx context.Context, tx *store.ContactTx) error {
		require.NoError(t, tx.SetStage(ctx, "lead", "why", start))
		_, err := conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		require.NoError(t, err)
		return tx.SetStage(ctx, "customer", "why", start)
	})
	requireFault(t, err, fault.Unavailable, "database_unavailable")

	// Idle connections that were cut are found out one by one; each failure is an honest Unavailable, which callers try again.
	var accepted []audience.Accepted
	for range 20 {
		if accepted, err = s.Ingest(t.Context(), start, []audience.Incoming{track("ana", "A", "1")}); err == nil {
			break
		}
		require.Equal(t, fault.Unavailable, fault.KindOf(err))
	}
	require.NoError(t, err)
	require.False(t, accepted[0].Duplicate)
	inContact(t, s, id, func(_ context.Context, tx *store.ContactTx) { require.Equal(t, "subscriber", tx.Contact().Stage) })
}

package store_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func tables(t *testing.T, url string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `SELECT table_name FROM information_schema.tables
		WHERE table_schema = 'public' AND table_name <> 'goose_db_version' ORDER BY 1`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}

func TestMigrateUpDownUp(t *testing.T) {
	t.Parallel()
	url := storetest.NewEmptyURL(t)
	s, err := store.Open(t.Context(), url)
	require.NoError(t, err)
	defer s.Close()

	status, err := s.MigrationStatus(t.Context())
	require.NoError(t, err)
	require.False(t, status.UpToDate())
	require.Zero(t, status.Current)
	require.Empty(t, tables(t, url), "asking changes nothing")

	require.NoError(t, s.Migrate(t.Context()))
	first := tables(t, url)
	require.Contains(t, first, "contacts")
	status, err = s.MigrationStatus(t.Context())
	require.NoError(t, err)
	require.True(t, status.UpToDate())

	require.NoError(t, s.MigrateDown(t.Context(), 0))
	require.Empty(t, tables(t, url), "down leaves nothing behind")
	require.NoError(t, s.Migrate(t.Context()))
	require.Equal(t, first, tables(t, url))
	require.NoError(t, s.Migrate(t.Context()), "again is fine")
}

// Processes that start together, all at once and several times over.
func TestMigrateInParallel(t *testing.T) {
	t.Parallel()
	for range 3 {
		url := storetest.NewEmptyURL(t)
		gate := make(chan struct{})
		group, ctx := errgroup.WithContext(t.Context())
		for range 6 {
			s, err := store.Open(ctx, url)
			require.NoError(t, err)
			t.Cleanup(s.Close)
			group.Go(func() error {
				<-gate
				return s.Migrate(ctx)
			})
		}
		close(gate)
		require.NoError(t, group.Wait())
		require.Contains(t, tables(t, url), "secrets")
	}
}

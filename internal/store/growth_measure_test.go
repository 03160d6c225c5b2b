package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store"
)

const (
	growthWriters = 8
	growthBatches = 60 // of each writer
	growthSize    = 100
	growthLookups = 2000
)

// grown is a database of one size.
type grown struct {
	contacts int
	store    *store.Store
	conn     *pgx.Conn
	rates    []float64 // events a second
	lookups  []float64 // microseconds
}

// TestBenchGrowth measures what ingestion and looking up cost when there are ten and a hundred times as many contacts. make bench runs it.
func TestBenchGrowth(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	var sizes []*grown
	for _, contacts := range []int{10_000, 100_000, 1_000_000} {
		s, conn := open(t)
		populate(t, conn, contacts, 5*contacts, time.Now().UTC())
		g := &grown{contacts: contacts, store: s, conn: conn}
		g.ingest(t) // warm
		g.lookUp(t)
		sizes = append(sizes, g)
	}
	for range 5 { // in turns: a machine's speed changes by the minute
		for _, g := range sizes {
			g.rates = append(g.rates, g.ingest(t))
			g.lookups = append(g.lookups, g.lookUp(t))
		}
	}
	var table strings.Builder
	base := median(sizes[0].rates)
	for _, g := range sizes {
		fmt.Fprintf(&table, "| %d contacts, %d events | %.0f | %.2f | %.0f µs |\n", g.contacts, 5*g.contacts, median(g.rates), median(g.rates)/base, median(g.lookups))
	}
	t.Logf("\n| size | events/s into the store (median of 5) | beside the smallest | one contact by its user id, with a count of its events |\n|---|---|---|---|\n%s", table.String())
	if file := os.Getenv("BENCH_PLANS"); file != "" {
		g := sizes[len(sizes)-1]
		require.NoError(t, os.WriteFile(file+".growth", []byte(g.plans(t)), 0o600))
	}
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}

func (g *grown) user() string { return fmt.Sprint("user-", 1+rand.IntN(g.contacts)) } //nolint:gosec // a measurement

// ingest takes in events of contacts from anywhere, and tells how many a second.
func (g *grown) ingest(t *testing.T) float64 {
	t.Helper()
	began := time.Now()
	var group sync.WaitGroup
	for range growthWriters {
		group.Go(func() {
			for range growthBatches {
				batch := make([]audience.Incoming, growthSize)
				for i := range batch {
					batch[i] = audience.Incoming{
						Source: "bench", MessageID: uuid.NewString(), Type: audience.TypeTrack, Name: fmt.Sprint("Event ", rand.IntN(25)), UserID: g.user(), //nolint:gosec // a measurement
						OccurredAt: time.Now(), Properties: map[string]any{"page": i, "amount": 10.5},
					}
				}
				if _, err := g.store.Ingest(t.Context(), time.Now(), batch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	return growthWriters * growthBatches * growthSize / time.Since(began).Seconds()
}

const (
	lookupContact = "SELECT contact_id FROM identities WHERE kind = 'user_id' AND value = $1"
	lookupEvents  = "SELECT count(*) FROM events WHERE contact_id = $1 AND name = $2 AND occurred_at > $3"
)

// lookUp finds a contact and counts its events, as a condition does, and tells how many microseconds that takes.
func (g *grown) lookUp(t *testing.T) float64 {
	t.Helper()
	ctx := context.Background()
	began := time.Now()
	for range growthLookups {
		var id uuid.UUID
		var n int
		require.NoError(t, g.conn.QueryRow(ctx, lookupContact, g.user()).Scan(&id))
		require.NoError(t, g.conn.QueryRow(ctx, lookupEvents, id, "Event 3", time.Now().AddDate(0, 0, -30)).Scan(&n))
	}
	return float64(time.Since(began).Microseconds()) / growthLookups
}

func (g *grown) plans(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	explain := func(sql string, args ...any) {
		rows, err := g.conn.Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS) "+sql, args...)
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		fmt.Fprintf(&all, "-- %s\n%s\n\n", sql, strings.Join(lines, "\n"))
	}
	explain(lookupContact, "user-777")
	var id uuid.UUID
	require.NoError(t, g.conn.QueryRow(t.Context(), lookupContact, "user-777").Scan(&id))
	explain(lookupEvents, id, "Event 3", time.Now().AddDate(0, 0, -30))
	explain("SELECT * FROM contacts WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", []uuid.UUID{id})
	explain("SELECT message_id FROM events WHERE (source, message_id) IN (SELECT unnest($1::text[]), unnest($2::text[]))", []string{"bench", "bench"}, []string{"m5", "m6"})
	explain("SELECT id FROM contacts WHERE recheck_at <= now() ORDER BY recheck_at, id LIMIT 500")
	return all.String()
}

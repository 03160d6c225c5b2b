package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/store/storetest"
)

const growthLookups = 2000

// grown is a product whose database has a size.
type grown struct {
	ingestBench
	conn    *pgx.Conn
	rates   []float64 // events a second
	lookups []float64 // microseconds
}

// TestBenchGrowth measures what ingestion and looking up cost when there are ten and a hundred times as many contacts. make bench runs it.
func TestBenchGrowth(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	var sizes []*grown
	for _, contacts := range []int{10_000, 100_000, 1_000_000} {
		p := start(t)
		conn, err := pgx.Connect(t.Context(), p.config.DatabaseURL)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		storetest.Populate(t, conn, contacts, 5*contacts, time.Now().UTC())
		g := &grown{ingestBench: ingestBench{t: t, p: p, users: "user-", pool: contacts}, conn: conn}
		g.measure("", 1) // warm
		g.lookUp()
		sizes = append(sizes, g)
	}
	for range 5 { // in turns: a machine's speed changes by the minute
		for _, g := range sizes {
			g.rates = append(g.rates, g.measure("", 1))
			g.lookups = append(g.lookups, g.lookUp())
		}
	}
	var table strings.Builder
	for _, g := range sizes {
		fmt.Fprintf(&table, "| %d contacts, %d events | %.0f | %.2f | %.0f µs |\n", g.pool, 5*g.pool, middle(g.rates), middle(g.rates)/middle(sizes[0].rates), middle(g.lookups))
	}
	t.Logf("\n| size | events/s accepted over HTTP (median of 5) | beside the smallest | one contact by its user id, with a count of its events |\n|---|---|---|---|\n%s", table.String())
	if file := os.Getenv("BENCH_PLANS"); file != "" {
		require.NoError(t, os.WriteFile(file+".growth", []byte(sizes[len(sizes)-1].plans()), 0o600))
	}
}

const (
	lookupContact = "SELECT contact_id FROM identities WHERE kind = 'user_id' AND value = $1"
	lookupEvents  = "SELECT count(*) FROM events WHERE contact_id = $1 AND name = $2 AND occurred_at > $3"
)

// lookUp finds a contact and counts its events, as a condition does, and tells how many microseconds that takes.
func (g *grown) lookUp() float64 {
	g.t.Helper()
	ctx := context.Background()
	began := time.Now()
	for range growthLookups {
		var id uuid.UUID
		var n int
		require.NoError(g.t, g.conn.QueryRow(ctx, lookupContact, fmt.Sprint(g.users, 1+rand.IntN(g.pool-1))).Scan(&id)) //nolint:gosec // a measurement
		require.NoError(g.t, g.conn.QueryRow(ctx, lookupEvents, id, "Event 3", time.Now().AddDate(0, 0, -30)).Scan(&n))
	}
	return float64(time.Since(began).Microseconds()) / growthLookups
}

// plans are how PostgreSQL finds what ingestion asks for.
func (g *grown) plans() string {
	g.t.Helper()
	var all strings.Builder
	ctx := context.Background()
	explain := func(sql string, args ...any) {
		rows, err := g.conn.Query(ctx, "EXPLAIN (ANALYZE, BUFFERS) "+sql, args...)
		require.NoError(g.t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(g.t, err)
		fmt.Fprintf(&all, "-- %s\n%s\n\n", sql, strings.Join(lines, "\n"))
	}
	explain(lookupContact, "user-777")
	var id uuid.UUID
	require.NoError(g.t, g.conn.QueryRow(ctx, lookupContact, "user-777").Scan(&id))
	explain(lookupEvents, id, "Event 3", time.Now().AddDate(0, 0, -30))
	explain("SELECT * FROM contacts WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", []uuid.UUID{id})
	explain("SELECT message_id FROM events WHERE (source, message_id) IN (SELECT unnest($1::text[]), unnest($2::text[]))", []string{"bench", "bench"}, []string{"m5", "m6"})
	explain("SELECT id FROM contacts WHERE recheck_at <= now() ORDER BY recheck_at, id LIMIT 500")
	return all.String()
}

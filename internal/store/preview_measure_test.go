package store_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/segmentsql"
	"throughline.dev/throughline/internal/store/storetest"
)

const (
	previewContacts = 100_000
	previewEvents   = 5_000_000
)

// typicalConditions are one of each kind that marketers write.
func typicalConditions() []string {
	return []string{
		`contact.plan == "trial" && contact.seats >= 10`,
		`company.industry == "software" && contact.plan != "free"`,
		`did("Event 3", "7d")`,
		`count("Event 4", "90d") >= 2 && !did("Event 5", "90d")`,
		`now - last("Event 6") > duration("336h")`,
		`count("Event 7", "30d", "event.amount > 50") >= 2`,
		`score >= 20 && contact.plan == "trial"`,
		`object("subscription").mrr > 100`,
	}
}

// TestBenchPreview measures how long a marketer waits for a preview. make bench runs it.
func TestBenchPreview(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	s, conn := open(t)
	now := time.Now().UTC()
	storetest.Populate(t, conn, previewContacts, previewEvents, now)
	def, _ := sales.Parse([]byte("engagement: {groups: [{key: product, cap: 60, half_life: 30d, rules: [{id: a, event: Event 1, points: 2}]}]}"))
	model, err := sales.Compile(def, 1)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `INSERT INTO scoring_models (version, hash, document, published_at)
		VALUES (1, 'bench', '{"engagement":{"groups":[{"key":"product","cap":60,"half_life":"30d","rules":[{"id":"a","event":"Event 1","points":2}]}]}}', now())`)
	require.NoError(t, err)
	var table, plans strings.Builder
	for _, source := range typicalConditions() {
		var took []time.Duration
		var count int64
		for range 3 {
			began := time.Now()
			count, _, err = s.PreviewSegment(t.Context(), source, now, 20)
			took = append(took, time.Since(began))
			require.NoError(t, err, source)
		}
		slices.Sort(took)
		fmt.Fprintf(&table, "| `%s` | %d | %d ms |\n", source, count, took[1].Milliseconds())
		condition, err := audience.CompileSegment(source)
		require.NoError(t, err)
		query := segmentsql.Compile(condition, model, now)
		rows, err := conn.Query(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, SUMMARY) "+query.SQL, append([]any{pgx.QueryExecModeDescribeExec}, query.Args...)...)
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		fmt.Fprintf(&plans, "-- %s\n%s\n\n", source, strings.Join(lines, "\n"))
	}
	t.Logf("\n| preview (%d contacts, %d events; the middle of three) | contacts in it | time |\n|---|---|---|\n%s", previewContacts, previewEvents, table.String())
	if file := os.Getenv("BENCH_PLANS"); file != "" {
		require.NoError(t, os.WriteFile(file, []byte(plans.String()), 0o600))
	}
}

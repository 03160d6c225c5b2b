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
	populate(t, conn, previewContacts, previewEvents, now)
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

// populate fills the tables by SQL: as many contacts, and events spread over them and over half a year.
func populate(t testing.TB, conn *pgx.Conn, contacts, events int, now time.Time) {
	t.Helper()
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO companies (id, group_id, traits, created_at, updated_at)
			SELECT gen_random_uuid(), 'company-' || n, jsonb_build_object('industry', (ARRAY['software','retail','health','finance'])[1 + n %% 4]), now(), now()
			FROM generate_series(1, %d) n`, contacts/50),
		fmt.Sprintf(`INSERT INTO contacts (id, user_id, traits, created_at, updated_at, company_id, last_seq, score_state)
			SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user-' || n,
				jsonb_build_object('plan', (ARRAY['trial','paid','free'])[1 + n %% 3], 'seats', n %% 60, 'country', 'DE', 'role', 'maker'), now(), now(),
				(SELECT id FROM companies WHERE group_id = 'company-' || (1 + n %% %d)), %d,
				jsonb_build_object('model', 1, 'fit', n %% 20, 'engagement', jsonb_build_object('product',
					jsonb_build_object('value', n %% 50, 'at', to_char(now() - (n %% 60) * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))))
			FROM generate_series(1, %d) n`, max(contacts/50, 1), events/contacts, contacts),
		`INSERT INTO identities (kind, value, contact_id) SELECT 'user_id', user_id, id FROM contacts`,
		fmt.Sprintf(`INSERT INTO events (id, contact_id, seq, source, message_id, type, name, properties, occurred_at, received_at)
			SELECT gen_random_uuid(), ('00000000-0000-7000-8000-' || lpad(to_hex(1 + n %% %d), 12, '0'))::uuid, 1 + n / %d, 'bench', 'm' || n, 'track',
				'Event ' || (n / %d + n * 7) %% 25, jsonb_build_object('amount', n %% 100), $1::timestamptz - random() * interval '180 days', $1
			FROM generate_series(0, %d - 1) n`, contacts, contacts, contacts, events),
		`INSERT INTO objects (type, id, contact_id, fields, created_at, updated_at)
			SELECT 'subscription', 'o' || user_id, id, jsonb_build_object('mrr', ('x' || right(id::text, 2))::bit(8)::int), now(), now() FROM contacts`,
		"VACUUM ANALYZE",
	} {
		args := []any{}
		if strings.Contains(statement, "$1") {
			args = append(args, now)
		}
		_, err := conn.Exec(t.Context(), statement, args...)
		require.NoError(t, err, statement)
	}
}

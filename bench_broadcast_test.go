package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/workflows"
)

// TestBenchBroadcast sends one mail to 100,000 contacts (BENCH_BROADCAST says another number) through the whole way, and shows that the memory of
// the process does not grow with them.
func TestBenchBroadcast(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	many := int64(100_000)
	if text := os.Getenv("BENCH_BROADCAST"); text != "" {
		var err error
		many, err = strconv.ParseInt(text, 10, 64)
		require.NoError(t, err)
	}
	p := start(t)
	p.template(t, "news", "News")
	segment := manyMembers(t, p, many)
	b := p.broadcast(t, email.BroadcastPlan{Name: "Bench", Segment: segment, Template: "news", Schedule: now()})
	began := time.Now()
	peaks := map[int64]uint64{} // by tenths of the way
	for settled := int64(0); settled < many; {
		settled = settledSince(t, p, b.ID)
		tenth := 10 * settled / many
		peaks[tenth] = max(peaks[tenth], heap())
		require.Less(t, time.Since(began), 30*time.Minute)
		time.Sleep(100 * time.Millisecond) //nolint:forbidigo // the pause between two looks at the memory
	}
	took := time.Since(began)
	p.over(t, b.ID, email.BroadcastCompleted)
	peak := func(upTo int64) (most float64) {
		for tenth, bytes := range peaks {
			if tenth <= upTo {
				most = max(most, float64(bytes)/(1<<20))
			}
		}
		return most
	}
	description, err := p.temporal(t).DescribeWorkflowExecution(t.Context(), workflows.BroadcastID(b.ID), "")
	require.NoError(t, err)
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, description.GetWorkflowExecutionInfo().GetStatus())
	require.Equal(t, map[string]int64{"sent ": many}, p.stand(t, b.ID))
	t.Logf("\n| broadcast to %d contacts | %.0f mails/s | peak heap up to 10 %% %.0f MB, 50 %% %.0f MB, 100 %% %.0f MB | %d history events |\n", many, float64(many)/took.Seconds(),
		peak(1), peak(5), peak(10), description.GetWorkflowExecutionInfo().GetHistoryLength())
	require.Less(t, peak(10), 2*peak(1)+64, "the memory does not grow with the contacts")
}

// heap is what the process holds, garbage and all.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func settledSince(t *testing.T, p *product, id string) (n int64) {
	t.Helper()
	query(t, p.config.DatabaseURL, "SELECT count(*) FROM broadcast_recipients WHERE broadcast_id = $1 AND state NOT IN ('pending', 'held', 'sending')", []any{id}, &n)
	return n
}

// manyMembers makes contacts and their segment by SQL: taking them in is not what is measured.
func manyMembers(t *testing.T, p *product, many int64) string {
	t.Helper()
	admin[map[string]any](t, p, http.MethodPut, "/v1/segments/bench", `{"name":"Bench","condition":"contact.bench == true"}`)
	conn, err := pgx.Connect(t.Context(), p.config.DatabaseURL)
	require.NoError(t, err)
	defer conn.Close(t.Context()) //nolint:errcheck // a test
	for _, statement := range []string{
		fmt.Sprintf(`INSERT INTO contacts (id, email, email_key, traits, segments, created_at, updated_at)
			SELECT gen_random_uuid(), 'bench-' || n || '@example.test', 'bench-' || n || '@example.test', '{"bench": true, "first_name": "Ana"}', '{bench}', now(), now() FROM generate_series(1, %d) n`, many),
		`INSERT INTO segment_members (segment, contact_id, entered_at) SELECT 'bench', id, now() FROM contacts`,
		`ANALYZE contacts, segment_members`,
	} {
		_, err = conn.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	eventually(t, "the segment is filled", func() bool {
		var filled bool
		query(t, p.config.DatabaseURL, "SELECT filled_at IS NOT NULL FROM segments WHERE key = 'bench'", nil, &filled)
		return filled
	})
	return "bench"
}

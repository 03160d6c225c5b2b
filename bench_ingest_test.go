package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const (
	benchPool    = 10_000 // contacts that the events are spread over
	benchBatches = 60     // of each writer
	benchSize    = 100    // events a batch
	benchNames   = 25     // different events
)

// TestBenchIngestion measures how many events a second are taken in, each figure beside one of the same run. make bench runs it.
func TestBenchIngestion(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	p := start(t)
	b := ingestBench{t: t, p: p}
	b.seed()
	b.measure("") // warm
	plain := []float64{b.measure("")}
	copied := b.copyRows()
	b.rules("INSERT INTO scoring_models (version, hash, document, published_at) VALUES (1, 'bench', $1, now())", benchModel())
	scored := b.measure("")
	b.rules("DELETE FROM scoring_models")
	plain = append(plain, b.measure(""))
	for i := range 50 {
		b.rules(`INSERT INTO segments (key, name, condition, revision, filled_at, created_at, updated_at) VALUES ($1, $1, $2, 1, now(), now(), now())`,
			fmt.Sprintf("s%02d", i), benchCondition(i))
	}
	b.walked()
	segmented := b.measure("")
	b.rules("DELETE FROM segments")
	b.walked()
	plain = append(plain, b.measure(""))
	p.publish(t, `
journey: woken
enter: [{event: Wake Up}]
reenter: always
steps: [{id: out, exit: {reason: woken}}]
`)
	waking := b.measure("Wake Up")
	base := (plain[0] + plain[1] + plain[2]) / 3
	t.Logf("\n| measure (8 connections, batches of %d, %d contacts, %d events a run) | events/s | beside | ratio |\n|---|---|---|---|\n"+
		"| accepted over HTTP, none waking (three runs: %.0f, %.0f, %.0f) | %.0f | COPY of the same rows: %.0f | %.2f |\n"+
		"| 1 %% waking a journey | %.0f | none waking | %.2f |\n"+
		"| scored by a model of 15 rules | %.0f | not scored | %.2f |\n"+
		"| 50 live segments | %.0f | none | %.2f |\n",
		benchSize, benchPool, benchWriters*benchBatches*benchSize, plain[0], plain[1], plain[2], base, copied, base/copied,
		waking, waking/plain[2], scored, scored/((plain[0]+plain[1])/2), segmented, segmented/((plain[1]+plain[2])/2))
}

type ingestBench struct {
	t *testing.T
	p *product
}

// benchCondition mixes behaviour with and without a window, traits, and their absence.
func benchCondition(i int) string {
	name := fmt.Sprintf("Event %d", i%benchNames)
	return []string{
		fmt.Sprintf("did(%q, \"30d\")", name),
		fmt.Sprintf("count(%q, \"7d\") >= 3 && contact.plan == \"p%d\"", name, i%3),
		fmt.Sprintf("!did(%q) && contact.plan == \"p1\"", name),
		fmt.Sprintf("contact.seats > %d", i),
		fmt.Sprintf("count(%q) >= 5 || contact.plan == \"p2\"", name),
	}[i%5]
}

func benchModel() string {
	var rules []string
	for i := range 15 {
		rules = append(rules, fmt.Sprintf(`{"id":"r%d","event":"Event %d","points":%d}`, i, i, 1+i%5))
	}
	return `{"engagement":{"groups":[{"key":"product","cap":60,"half_life":"30d","rules":[` + strings.Join(rules, ",") + `]}]}}`
}

func (b *ingestBench) exec(sql string, args ...any) {
	b.t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, b.p.config.DatabaseURL)
	require.NoError(b.t, err)
	defer conn.Close(ctx) //nolint:errcheck // a measurement
	_, err = conn.Exec(ctx, sql, args...)
	require.NoError(b.t, err)
}

func (b *ingestBench) rules(sql string, args ...any) {
	b.t.Helper()
	b.exec(sql, args...)
	b.exec("UPDATE rules SET revision = revision + 1")
}

func (b *ingestBench) walked() {
	b.t.Helper()
	eventually(b.t, "everybody is judged by the rules", func() bool {
		done := false
		query(b.t, b.p.config.DatabaseURL, "SELECT walked = revision FROM rules", nil, &done)
		return done
	})
}

func (b *ingestBench) seed() {
	b.t.Helper()
	for from := 0; from < benchPool; from += 1000 {
		batch := make([]map[string]any, 1000)
		for i := range batch {
			n := from + i
			batch[i] = map[string]any{"type": "identify", "userId": fmt.Sprint("bench-", n), "messageId": uuid.NewString(),
				"traits": map[string]any{"plan": fmt.Sprintf("p%d", n%3), "seats": n % 60, "email": fmt.Sprintf("bench-%d@example.test", n)}}
		}
		b.p.segment(b.t, "/v1/batch", map[string]any{"batch": batch})
	}
}

// measure sends the same kind of events from all writers at once, and tells how many a second were taken in. waking: every hundredth event
// has that name.
func (b *ingestBench) measure(waking string) float64 {
	b.t.Helper()
	bodies := make([][]string, benchWriters)
	for w := range bodies {
		for range benchBatches {
			batch := make([]map[string]any, benchSize)
			for i := range batch {
				name := fmt.Sprintf("Event %d", rand.IntN(benchNames)) //nolint:gosec // a measurement
				if waking != "" && i == 0 {
					name = waking
				}
				batch[i] = map[string]any{
					"type": "track", "userId": fmt.Sprint("bench-", rand.IntN(benchPool)), "event": name, "messageId": uuid.NewString(), //nolint:gosec // as above
					"timestamp": time.Now(), "properties": map[string]any{"page": i, "amount": 10.5},
				}
			}
			body, err := json.Marshal(map[string]any{"batch": batch})
			require.NoError(b.t, err)
			bodies[w] = append(bodies[w], string(body))
		}
	}
	began := time.Now()
	var group sync.WaitGroup
	for _, mine := range bodies {
		group.Go(func() {
			for _, body := range mine {
				status, answer := b.p.do(b.t, "POST", "/v1/batch", b.p.config.WriteKey, body)
				if status != 200 {
					b.t.Errorf("status %d: %s", status, answer)
				}
			}
		})
	}
	group.Wait()
	return rate(benchWriters*benchBatches*benchSize, time.Since(began))
}

// copyRows is the baseline: the same rows by COPY into a table like events, from as many connections, with nothing looked up, locked or told.
func (b *ingestBench) copyRows() float64 {
	b.t.Helper()
	b.exec("CREATE TABLE copied (LIKE events INCLUDING ALL)")
	ctx := context.Background()
	columns := []string{"id", "contact_id", "seq", "source", "message_id", "type", "name", "properties", "occurred_at", "received_at"}
	parts := make([][][]any, benchWriters)
	for w := range parts {
		contact := uuid.New()
		for i := range benchBatches * benchSize {
			parts[w] = append(parts[w], []any{uuid.New(), contact, int64(i + 1), "bench", uuid.NewString(), "track",
				fmt.Sprintf("Event %d", i%benchNames), map[string]any{"page": i, "amount": 10.5}, time.Now(), time.Now()})
		}
	}
	began := time.Now()
	var group sync.WaitGroup
	for _, mine := range parts {
		group.Go(func() {
			conn, err := pgx.Connect(ctx, b.p.config.DatabaseURL)
			if err != nil {
				b.t.Error(err)
				return
			}
			defer conn.Close(ctx) //nolint:errcheck // a measurement
			for from := 0; from < len(mine); from += benchSize {
				if _, err := conn.CopyFrom(ctx, pgx.Identifier{"copied"}, columns, pgx.CopyFromRows(mine[from:from+benchSize])); err != nil {
					b.t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	b.exec("DROP TABLE copied")
	return rate(benchWriters*benchBatches*benchSize, took)
}

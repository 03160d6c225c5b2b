package main

import (
	"context"
	"encoding/json"
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
)

const (
	benchPool    = 10_000 // contacts that the events are spread over
	benchBatches = 60     // of each writer
	benchSize    = 100    // events a batch
	benchNames   = 25     // different events
	benchRounds  = 3
)

// TestBenchIngestion measures how many events a second are taken in, each figure beside one of the same run. make bench runs it.
func TestBenchIngestion(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	p := start(t)
	b := ingestBench{t: t, p: p, users: "bench-", pool: benchPool}
	b.seed()
	b.measure("", 1) // warm
	var plain, copied, scored, segmented, seldom, waking []float64
	for range benchRounds { // what is compared runs in turns: a machine's speed changes by the minute
		plain = append(plain, b.measure("", 1))
		copied = append(copied, b.copyRows())
		scored = append(scored, b.scored())
		plain = append(plain, b.measure("", 1))
		segmented = append(segmented, b.segmented())
		plain = append(plain, b.measure("", 1))
		seldom = append(seldom, b.waking(4))
		plain = append(plain, b.measure("", 1))
		waking = append(waking, b.waking(1))
	}
	base := middle(plain)
	t.Logf("\n| measure (8 connections, batches of %d, %d contacts, %d events a run, median of %d runs) | events/s | beside | ratio |\n|---|---|---|---|\n"+
		"| accepted over HTTP, none waking (%.0f to %.0f) | %.0f | COPY of the same rows: %.0f | %.2f |\n"+
		"| 0.25 %% waking a journey | %.0f | none waking | %.2f |\n"+
		"| 1 %% waking a journey | %.0f | none waking | %.2f |\n"+
		"| scored by a model of 15 rules | %.0f | not scored | %.2f |\n"+
		"| 50 live segments | %.0f | none | %.2f |\n",
		benchSize, benchPool, benchWriters*benchBatches*benchSize, benchRounds, slices.Min(plain), slices.Max(plain), base, middle(copied), base/middle(copied),
		middle(seldom), middle(seldom)/base, middle(waking), middle(waking)/base, middle(scored), middle(scored)/base, middle(segmented), middle(segmented)/base)
}

func middle(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}

func (b *ingestBench) scored() float64 {
	b.rules("INSERT INTO scoring_models (version, hash, document, published_at) VALUES (1, 'bench', $1, now())", benchModel())
	figure := b.measure("", 1)
	b.rules("DELETE FROM scoring_models")
	return figure
}

func (b *ingestBench) segmented() float64 {
	var keys, conditions []string
	for i := range 50 {
		keys, conditions = append(keys, fmt.Sprintf("s%02d", i)), append(conditions, benchCondition(i))
	}
	b.rules(`INSERT INTO segments (key, name, condition, revision, filled_at, created_at, updated_at)
		SELECT key, key, condition, 1, now(), now(), now() FROM unnest($1::text[], $2::text[]) s(key, condition)`, keys, conditions)
	figure := b.measure("", 1)
	b.rules("DELETE FROM segments")
	return figure
}

// waking lets one event of a hundred, in every such batch, start a journey, and ends when the journeys have ended: they must not slow what is measured next.
func (b *ingestBench) waking(everyBatch int) float64 {
	if !b.published {
		b.p.publish(b.t, `
journey: woken
enter: [{event: Wake Up}]
reenter: always
steps: [{id: out, exit: {reason: woken}}]
`)
		b.published = true
	}
	figure := b.measure("Wake Up", everyBatch)
	eventually(b.t, "all journeys have seen their events", func() bool {
		pending := 0
		query(b.t, b.p.config.DatabaseURL, "SELECT count(*) FROM contacts WHERE pending_since IS NOT NULL", nil, &pending)
		return pending == 0
	})
	return figure
}

type ingestBench struct {
	t         *testing.T
	p         *product
	users     string // what their ids begin with
	pool      int    // how many there are
	published bool
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

// rules changes them, and ends when everybody is judged by the new ones.
func (b *ingestBench) rules(sql string, args ...any) {
	b.t.Helper()
	b.exec(sql, args...)
	b.exec("UPDATE rules SET revision = revision + 1")
	b.walked()
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

// measure sends the same kind of events from all writers at once, and tells how many a second were taken in. waking: the first event of
// every such batch has that name.
func (b *ingestBench) measure(waking string, everyBatch int) float64 {
	b.t.Helper()
	bodies := make([][]string, benchWriters)
	for w := range bodies {
		for n := range benchBatches {
			batch := make([]map[string]any, benchSize)
			for i := range batch {
				name := fmt.Sprintf("Event %d", rand.IntN(benchNames)) //nolint:gosec // a measurement
				if waking != "" && i == 0 && n%everyBatch == 0 {
					name = waking
				}
				batch[i] = map[string]any{
					"type": "track", "userId": fmt.Sprint(b.users, rand.IntN(b.pool)), "event": name, "messageId": uuid.NewString(), //nolint:gosec // as above
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

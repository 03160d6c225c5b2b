package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// readIndexes are the indexes of migrations 0016 to 0018: nothing is written by them, people find things by them.
const readIndexes = `'enrollments_numbers','decisions_numbers','messages_numbers','contacts_email_prefix','contacts_user_prefix','contacts_person_prefix',
	'contacts_family_prefix','contacts_name_prefix','contacts_of_stage','messages_newest','messages_of_journey','messages_of_template','messages_not_sent',
	'messages_with_reason','enrollments_inside'`

// TestBenchIndexes measures what the indexes that only readers need cost those who write. make bench runs it.
func TestBenchIndexes(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	p := start(t)
	b := indexBench{ingestBench: ingestBench{t: t, p: p, users: "bench-", pool: benchPool}, figures: map[string][2][]float64{}, work: map[string][2][2][]float64{}}
	p.template(t, "welcome", "Welcome")
	p.template(t, "tips", "Tips")
	p.publish(t, sendWaitSend)
	b.seed()
	b.journeys(20) // warm
	b.measure("", 1)
	var definitions []string
	query(t, p.config.DatabaseURL, "SELECT array_agg(pg_get_indexdef(indexrelid)) FROM pg_stat_user_indexes WHERE indexrelname IN ("+readIndexes+")", nil, &definitions)
	require.Len(t, definitions, strings.Count(readIndexes, ",")+1)
	for range benchRounds { // in turns: a machine's speed changes by the minute
		b.round(0)
		b.exec("DROP INDEX " + strings.NewReplacer("'", "", "\n\t", "").Replace(readIndexes))
		b.round(1)
		for _, definition := range definitions {
			b.exec(definition)
		}
	}
	var table strings.Builder
	for _, what := range []string{"journeys/s", "new contacts/s", "events/s"} {
		f := b.figures[what]
		w := b.work[what]
		fmt.Fprintf(&table, "| %s | %.0f (%.0f to %.0f) | %.0f (%.0f to %.0f) | %.2f | %.2f | %.2f |\n", what, middle(f[0]), slices.Min(f[0]), slices.Max(f[0]),
			middle(f[1]), slices.Min(f[1]), slices.Max(f[1]), middle(f[0])/middle(f[1]),
			middle(w[0][0])/middle(w[1][0]), middle(w[0][1])/middle(w[1][1]))
	}
	var sizes []string
	query(t, p.config.DatabaseURL, `SELECT array_agg(indexrelname || ' ' || pg_size_pretty(pg_relation_size(indexrelid)) ORDER BY pg_relation_size(indexrelid) DESC)
		FROM pg_stat_user_indexes WHERE indexrelname IN (`+readIndexes+`)`, nil, &sizes)
	t.Logf("\n| measure (median of %d runs) | with the indexes | without | ratio | written ahead | CPU of PostgreSQL |\n|---|---|---|---|---|---|\n%s\n%s", benchRounds, table.String(), strings.Join(sizes, ", "))
}

type indexBench struct {
	ingestBench
	figures map[string][2][]float64    // with the indexes, and without
	work    map[string][2][2][]float64 // the same: KB written ahead, ms of CPU
}

func (b *indexBench) round(without int) {
	for what, figure := range map[string]func() float64{
		"journeys/s": func() float64 { return b.journeys(100) }, "new contacts/s": b.contacts, "events/s": func() float64 { return b.measure("", 1) },
	} {
		log, cpu := b.written()
		f := b.figures[what]
		f[without] = append(f[without], figure())
		b.figures[what] = f
		logAfter, cpuAfter := b.written()
		w := b.work[what]
		w[without][0], w[without][1] = append(w[without][0], logAfter-log), append(w[without][1], cpuAfter-cpu)
		b.work[what] = w
	}
}

// written is how much PostgreSQL has written ahead, in KB, and the CPU time of its connections, in ms: what a machine with other work on it
// does not change.
func (b *indexBench) written() (kilobytes, milliseconds float64) {
	query(b.t, b.p.config.DatabaseURL, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 / 1024", nil, &kilobytes)
	var pids []int
	query(b.t, b.p.config.DatabaseURL, "SELECT array_agg(pid) FROM pg_stat_activity WHERE datname = current_database()", nil, &pids)
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended meanwhile
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		for _, ticks := range fields[11:13] { // of 10 ms each
			n, err := strconv.Atoi(ticks)
			require.NoError(b.t, err)
			milliseconds += float64(n) * 10
		}
	}
	return kilobytes, milliseconds
}

// journeys takes new people through the journey of TestBench, which writes into all of the tables.
func (b *indexBench) journeys(count int) float64 {
	before := 0
	completed := "SELECT count(*) FROM enrollments WHERE state = 'completed'"
	query(b.t, b.p.config.DatabaseURL, completed, nil, &before)
	people := make([]person, count)
	for i := range people {
		people[i] = newPerson()
	}
	each(people, func(who person) { b.p.identify(b.t, who, nil) })
	began := time.Now()
	each(people, func(who person) { b.p.track(b.t, who, "Signed Up", nil) })
	each(people, func(who person) { b.p.track(b.t, who, "Project Created", nil) })
	eventually(b.t, "all have come through", func() bool {
		now := 0
		query(b.t, b.p.config.DatabaseURL, completed, nil, &now)
		return now == before+count
	})
	return rate(count, time.Since(began))
}

// contacts takes in new ones with a name and an address, as an import does.
func (b *indexBench) contacts() float64 {
	const batches = 5
	began := time.Now()
	var group sync.WaitGroup
	for range benchWriters {
		group.Go(func() {
			for range batches {
				batch := make([]map[string]any, benchSize)
				for i := range batch {
					who := uuid.NewString()
					batch[i] = map[string]any{"type": "identify", "userId": who, "messageId": uuid.NewString(),
						"traits": map[string]any{"email": who + "@example.test", "first_name": "Ana " + who[:6], "last_name": "Lopez " + who[:4], "name": "Ana Lopez " + who[:8]}}
				}
				body, err := json.Marshal(map[string]any{"batch": batch})
				if err != nil {
					b.t.Error(err)
					return
				}
				if status, answer := b.p.do(b.t, "POST", "/v1/batch", b.p.config.WriteKey, string(body)); status != 200 {
					b.t.Errorf("status %d: %s", status, answer)
				}
			}
		})
	}
	group.Wait()
	return rate(benchWriters*batches*benchSize, time.Since(began))
}

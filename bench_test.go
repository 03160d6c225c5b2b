package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

const (
	benchContacts = 500
	benchWriters  = 8
)

// TestBench measures, and prints a table; it asserts no time. make bench runs it. Every figure stands beside a baseline of the
// same run: the same journey written by hand, a plain workflow with one regular activity a step.
func TestBench(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("a measurement, not a test: make bench sets BENCH")
	}
	p := start(t)
	p.template(t, "welcome", "Welcome")
	p.template(t, "tips", "Tips")
	p.publish(t, sendWaitSend)
	people := make([]person, benchContacts)
	for i := range people {
		people[i] = newPerson()
	}
	each(people, func(who person) { p.identify(t, who, nil) })

	began := time.Now()
	each(people, func(who person) { p.track(t, who, "Signed Up", nil) })
	count(t, p, "SELECT count(*) FROM contacts WHERE 'Project Created' = ANY(interests) AND pending_since IS NULL", benchContacts)
	each(people, func(who person) { p.track(t, who, "Project Created", nil) })
	count(t, p, "SELECT count(*) FROM enrollments WHERE state = 'completed'", benchContacts)
	ours := time.Since(began)
	bytes := 0
	query(t, p.config.DatabaseURL, "SELECT pg_database_size(current_database()) - pg_database_size('template1')", nil, &bytes)
	latencies := latencies(t, p)
	events := len(history(t, p.temporal(t), p.contact(t, people[0]).ID))

	theirs, theirEvents := handWritten(t, p, people)
	accepted := ingestion(t, p)
	t.Logf("\n| measure | Throughline | baseline | ratio |\n|---|---|---|---|\n"+
		"| journeys/s (send, wait_for, send; %d contacts, %d writers) | %.0f | %.0f | %.2f |\n"+
		"| history events a journey | %d | %d | %.2f |\n"+
		"| event → mail accepted, p50 / p99 under that load | %s / %s | | |\n"+
		"| PostgreSQL bytes a contact (3 events, 2 mails with their bodies) | %d | | |\n"+
		"| events/s accepted over HTTP (batches of 100, %d writers, none waking) | %.0f | | |\n",
		benchContacts, benchWriters, rate(benchContacts, ours), rate(benchContacts, theirs), float64(theirs)/float64(ours),
		events, theirEvents, float64(events)/float64(theirEvents),
		latencies[len(latencies)/2].Round(time.Millisecond), latencies[len(latencies)*99/100].Round(time.Millisecond), bytes/benchContacts, benchWriters, accepted)
}

func rate(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }

// each runs fn for every person, a few at once.
func each(people []person, fn func(person)) {
	var group sync.WaitGroup
	for part := range slices.Chunk(people, (len(people)+benchWriters-1)/benchWriters) {
		group.Go(func() {
			for _, who := range part {
				fn(who)
			}
		})
	}
	group.Wait()
}

// count waits until a query counts that many.
func count(t *testing.T, p *product, sql string, want int) {
	t.Helper()
	eventually(t, sql, func() bool {
		n := 0
		query(t, p.config.DatabaseURL, sql, nil, &n)
		return n == want
	})
}

// latencies are the times from an event's commit to the acceptance of the mail that it caused, sorted.
func latencies(t *testing.T, p *product) []time.Duration {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.config.DatabaseURL)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test
	rows, err := conn.Query(t.Context(), `SELECT extract(epoch FROM m.sent_at - e.received_at)::float8 FROM messages m JOIN events e ON e.contact_id = m.contact_id
		AND e.name = CASE m.step_id WHEN 'welcome' THEN 'Signed Up' ELSE 'Project Created' END WHERE m.sent_at IS NOT NULL ORDER BY 1`)
	require.NoError(t, err)
	seconds, err := pgx.CollectRows(rows, pgx.RowTo[float64])
	require.NoError(t, err)
	require.NotEmpty(t, seconds)
	out := make([]time.Duration, len(seconds))
	for i, s := range seconds {
		out[i] = time.Duration(s * float64(time.Second))
	}
	return out
}

// handWritten runs the baseline: a workflow a contact, an activity a step, a signal for the event.
func handWritten(t *testing.T, p *product, people []person) (time.Duration, int) {
	t.Helper()
	c, queue := p.temporal(t), "baseline-"+uuid.NewString()
	transport, err := email.NewTransport(email.Options{URL: p.config.SMTPURL, MaxConns: smtpConnections})
	require.NoError(t, err)
	defer transport.Close()
	composed, err := email.Build(p.config.from(), p.config.from(), email.Rendered{Subject: "Welcome", HTML: strings.Repeat("<p>text</p>", 500), Text: "text"},
		email.Headers{ID: uuid.NewString(), MessageID: "baseline@throughline.example", Date: time.Now(), Class: email.Transactional})
	require.NoError(t, err)
	w, from := sdk.New(c, queue, sdk.Options{}), p.config.from()
	w.RegisterActivityWithOptions(func(ctx context.Context, to string) error {
		if d := transport.Send(ctx, email.Envelope{From: from.Address, To: to, Bytes: composed}); d.Outcome != email.OutcomeAccepted {
			return fmt.Errorf("mail: %s", d.Outcome)
		}
		return nil
	}, activity.RegisterOptions{Name: "Send"})
	w.RegisterWorkflowWithOptions(baseline, workflow.RegisterOptions{Name: "Baseline"})
	require.NoError(t, w.Start())
	defer w.Stop()

	began := time.Now()
	each(people, func(who person) {
		_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "baseline/" + who.user, TaskQueue: queue}, "Baseline", who.email)
		require.NoError(t, err)
	})
	each(people, func(who person) {
		require.NoError(t, c.SignalWorkflow(t.Context(), "baseline/"+who.user, "", "Project Created", nil))
	})
	each(people, func(who person) {
		require.NoError(t, c.GetWorkflow(t.Context(), "baseline/"+who.user, "").Get(t.Context(), nil))
	})
	took := time.Since(began)
	description, err := c.DescribeWorkflowExecution(t.Context(), "baseline/"+people[0].user, "")
	require.NoError(t, err)
	return took, int(description.GetWorkflowExecutionInfo().GetHistoryLength())
}

func baseline(ctx workflow.Context, to string) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	if err := workflow.ExecuteActivity(ctx, "Send", to).Get(ctx, nil); err != nil {
		return err
	}
	timerCtx, cancel := workflow.WithCancel(ctx)
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(workflow.GetSignalChannel(ctx, "Project Created"), func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	selector.AddFuture(workflow.NewTimer(timerCtx, 30*24*time.Hour), func(workflow.Future) {})
	selector.Select(ctx)
	cancel()
	return workflow.ExecuteActivity(ctx, "Send", to).Get(ctx, nil)
}

// ingestion measures events accepted a second, over HTTP, none of which a journey waits for.
func ingestion(t *testing.T, p *product) float64 {
	t.Helper()
	const batches, size = 30, 100
	writers := make([]person, benchWriters)
	for i := range writers {
		writers[i] = newPerson()
	}
	began := time.Now()
	each(writers, func(who person) {
		for range batches {
			batch := make([]map[string]any, size)
			for i := range batch {
				batch[i] = map[string]any{
					"type": string(audience.TypeTrack), "userId": fmt.Sprintf("%s-%d", who.user, i), "event": "Page Viewed",
					"messageId": uuid.NewString(), "properties": map[string]any{"page": i},
				}
			}
			p.segment(t, "/v1/batch", map[string]any{"batch": batch})
		}
	})
	return rate(batches*size*benchWriters, time.Since(began))
}

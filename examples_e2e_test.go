package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/integration"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/worker"
	"throughline.dev/throughline/workflows"
)

// One interpreter, two drivers: every example takes each contact down the same path in the workflow (with its real
// activities, PostgreSQL and mail) as in the simulator. Months pass in seconds, because the test's clock skips.
func TestExamplesTakeTheSamePath(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("examples/*.yaml")
	require.NoError(t, err)
	files = slices.DeleteFunc(files, func(file string) bool { return filepath.Base(file) == "scoring.yaml" }) // which is no journey
	require.GreaterOrEqual(t, len(files), 4)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			newExample(t, file).compare(t)
		})
	}
}

// example is one example journey on a product whose clock the test turns.
type example struct {
	process *process
	def     *journey.Definition
	events  []journey.SimEvent
	ids     map[string]string // user → contact id
}

func newExample(t *testing.T, file string) *example {
	t.Helper()
	p, err := newProcess(t.Context(), testConfig(t), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.close()) })
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	def, problems := journey.Check(data, journey.Known{})
	require.Empty(t, problems)
	input, err := os.Open(strings.TrimSuffix(file, ".yaml") + ".events.jsonl")
	require.NoError(t, err)
	defer input.Close() //nolint:errcheck // a test
	events, problems := journey.DecodeSimEvents(input)
	require.Empty(t, problems)

	e := &example{process: p, def: def, events: events, ids: map[string]string{}}
	long := events[0].At.Add(-time.Hour)
	templates, err := filepath.Glob("examples/templates/*.yaml")
	require.NoError(t, err)
	for _, name := range templates {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		template, problems := email.DecodeTemplate(data)
		require.Empty(t, problems)
		_, err = p.store.SaveTemplate(t.Context(), template, "hash", nil, long)
		require.NoError(t, err)
	}
	document, problems := journey.ToJSON(data)
	require.Empty(t, problems)
	_, err = p.store.SaveDraft(t.Context(), journey.Draft{Journey: def.Journey, Document: document}, nil, long)
	require.NoError(t, err)
	names := []string{}
	for _, enter := range def.Enter {
		names = append(names, enter.Event)
	}
	_, err = p.store.PublishVersion(t.Context(), def.Journey, document, journey.Hash(document), names, nil, long)
	require.NoError(t, err)
	for _, line := range events {
		if e.ids[line.User] == "" {
			e.ids[line.User] = e.ingest(t, journey.SimEvent{At: long, User: line.User, Type: "identify"}).ContactID
		}
	}
	return e
}

func (e *example) ingest(t *testing.T, line journey.SimEvent) audience.Accepted {
	t.Helper()
	traits := line.Traits
	address, _ := traits["email"].(string)
	accepted, err := e.process.store.Ingest(t.Context(), line.At, []audience.Incoming{{
		Source: "example", MessageID: uuid.NewString(), Type: audience.EventType(line.Type), Name: line.Event, UserID: line.User,
		Email: address, Traits: traits, Properties: line.Properties, OccurredAt: line.At,
	}})
	require.NoError(t, err)
	return accepted[0]
}

func (e *example) compare(t *testing.T) {
	t.Helper()
	trace, err := journey.Simulate(e.def, e.events, journey.SimOptions{
		ContactID: func(user string) string { return e.ids[user] },
		StageAfter: func(outcome string) string {
			if outcome == journey.PortWon {
				return sales.HandoffWon.Stage()
			}
			return ""
		},
	})
	require.NoError(t, err)
	taken := 0
	for user, id := range e.ids {
		e.run(t, user)
		want, got := trace.Path(user), e.path(t, id)
		require.Equal(t, want, got, "the way of %s", user)
		taken += len(got)
	}
	require.Greater(t, taken, 10)
	t.Logf("%d contacts, %d steps, the same in both", len(e.ids), taken)
}

// skipping runs one workflow with the real activities, on a clock that skips what it waits for.
func skipping(of *process, begin time.Time, workflowID string) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestWorkflowEnvironment()
	p := *of
	p.now = env.Now
	parts, _ := p.activities()
	parts.Steps.Webhooks = receiver{}
	worker.Register(env, parts)
	env.SetStartTime(begin)
	env.SetTestTimeout(patience)
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: workflowID, TaskQueue: workflows.TaskQueue})
	return env
}

// run lets a contact's events happen at their times, in a workflow whose clock skips what it waits for.
func (e *example) run(t *testing.T, user string) {
	t.Helper()
	id := e.ids[user]
	begin := e.events[0].At
	env := skipping(e.process, begin, workflows.JourneyID(id))
	env.OnSignalExternalWorkflow(mock.Anything, workflows.JourneyID(id), "", workflows.SignalPoke, nil).
		Run(func(mock.Arguments) {
			env.RegisterDelayedCallback(func() { env.SignalWorkflow(workflows.SignalPoke, nil) }, 0)
		}).Return(nil)
	var last time.Time
	for _, line := range e.events {
		if line.User != user {
			continue
		}
		last = line.At
		env.RegisterDelayedCallback(func() {
			if line.Type == journey.SimHandoff {
				e.decide(t, env, id, line)
				return
			}
			if e.ingest(t, line).Poke {
				env.SignalWorkflow(workflows.SignalPoke, nil)
			}
		}, line.At.Sub(begin))
	}
	env.RegisterDelayedCallback(env.CancelWorkflow, last.Sub(begin)+3*365*24*time.Hour)
	env.ExecuteWorkflow(workflows.CustomerJourneyName, workflows.JourneyInput{ContactID: id})
	require.True(t, env.IsWorkflowCompleted())
}

// decide does what a rep does: accepts the handoff when that is needed, then says its outcome.
func (e *example) decide(t *testing.T, env *testsuite.TestWorkflowEnvironment, contactID string, line journey.SimEvent) {
	t.Helper()
	page, err := e.process.store.ListHandoffs(t.Context(), sales.HandoffOpen, "", 100)
	require.NoError(t, err)
	for _, h := range page.Items {
		if h.ContactID != contactID {
			continue
		}
		send := func(name string, arg any, then func()) {
			env.UpdateWorkflowByID(workflows.HandoffID(h.ID), name, uuid.NewString(), answer{t, then}, arg) //nolint:errcheck // the answer tells
		}
		done := func() {}
		switch line.Outcome {
		case journey.PortRejected:
			send(workflows.UpdateReject, "no budget", done)
		case journey.PortLost:
			send(workflows.UpdateAccept, "ana", func() { send(workflows.UpdateLost, "no budget", done) })
		case journey.PortWon:
			send(workflows.UpdateAccept, "ana", func() { send(workflows.UpdateWon, line.Amount, done) })
		}
		return
	}
	require.Fail(t, "sales had no open handoff to decide, line "+strconv.Itoa(line.Line))
}

// answer takes the answer of an update, and goes on when it is done.
type answer struct {
	t    *testing.T
	then func()
}

func (a answer) Accept()          {}
func (a answer) Reject(err error) { a.t.Errorf("the handoff refused: %v", err) }
func (a answer) Complete(_ any, err error) {
	if err != nil {
		a.t.Errorf("the update failed: %v", err)
		return
	}
	a.then()
}

// receiver stands for the addresses that the examples call: they are nobody's.
type receiver struct{}

func (receiver) Call(context.Context, integration.WebhookRequest) (integration.WebhookResult, error) {
	return integration.WebhookResult{Status: http.StatusOK}, nil
}

// path reads a contact's way off the journal, as the simulator writes it.
func (e *example) path(t *testing.T, contactID string) []string {
	t.Helper()
	entries, next, err := e.process.store.Timeline(t.Context(), contactID, 0, 1000)
	require.NoError(t, err)
	require.Zero(t, next)
	path := []string{}
	for _, entry := range entries {
		switch {
		case entry.Message != nil:
			port := journey.PortNext
			switch entry.Message.Reason {
			case email.ReasonGoalReached:
				port = "goal"
			case email.ReasonExited:
				port = "exit"
			}
			path = append(path, entry.Message.StepID+":"+port)
		case entry.Decision != nil && isKind(entry.Decision.Kind):
			path = append(path, entry.Decision.StepID+":"+entry.Decision.Outcome)
		}
	}
	return path
}

// isKind tells the decisions of steps from those about enrollments.
func isKind(name string) bool {
	for _, k := range journey.Kinds() {
		if string(k.Kind) == name && k.Kind != journey.KindExit {
			return true
		}
	}
	return false
}

package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/analytics-go/v3"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/workflows"
)

const sendWaitSend = `
journey: budget
enter: [{event: Signed Up}]
steps:
  - id: welcome
    send: {template: welcome}
  - id: activated
    wait_for:
      - {event: Project Created, go: tips}
      - {after: 30d, go: done}
  - id: tips
    send: {template: tips}
  - id: done
    exit: finished
`

// The history of enter → send → wait_for → send → exit stays within its budget, and Temporal learns nothing personal.
func TestHistoryBudgetAndPrivacy(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome {{ contact.first_name }}")
	p.template(t, "tips", "Tips for {{ contact.first_name }}")
	p.publish(t, sendWaitSend)
	who := newPerson()
	id := p.identify(t, who, nil)
	p.track(t, who, "Signed Up", nil)
	eventually(t, "the enrollment waits", func() bool {
		m := p.messageAt(t, id, "welcome")
		return m != nil && m.State == email.Sent && len(interests(t, p, id)) > 0
	})
	p.track(t, who, "Project Created", map[string]any{"note": who.email})
	require.Equal(t, "finished", p.ended(t, id).Reason)
	require.Len(t, caught(t, who.email), 2)

	c := p.temporal(t)
	eventually(t, "the journey has told that it hosts nothing any more", func() bool {
		events := history(t, c, id)
		return events[len(events)-1].GetEventType() == enums.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES && len(events) > 10
	})
	events := history(t, c, id)
	t.Logf("history: %d events", len(events))
	for _, e := range events {
		t.Logf("%3d %s", e.GetEventId(), e.GetEventType())
	}
	require.LessOrEqual(t, len(events), 25)
	record(t, c, workflows.JourneyID(id), "", "journey-send-wait-send")
	noPersonalData(t, who)
}

// interests are the event names that the contact's journey is parked on.
func interests(t *testing.T, p *product, contactID string) []string {
	t.Helper()
	var names []string
	query(t, p.config.DatabaseURL, `SELECT interests FROM contacts WHERE id = $1 AND pending_since IS NULL`, []any{contactID}, &names)
	return names
}

// noPersonalData searches Temporal's own database for a person's address and name.
func noPersonalData(t *testing.T, who person) {
	t.Helper()
	dir := os.Getenv("DEVSTACK_DIR")
	require.NotEmpty(t, dir)
	searched := 0
	require.NoError(t, filepath.Walk(filepath.Join(dir, "temporal"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		searched += len(data)
		require.False(t, bytes.Contains(data, []byte(who.email)), "an address is in Temporal's database: %s", path)
		require.False(t, bytes.Contains(data, []byte(who.name)), "a name is in Temporal's database: %s", path)
		return nil
	}))
	require.Greater(t, searched, 1<<16, "nothing was searched")
}

// The README's journey, from an unmodified tracking library to a deal won in the Temporal UI's own way.
func TestTrialToPaid(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.exampleTemplates(t)
	document, err := os.ReadFile("examples/trial-to-paid.yaml")
	require.NoError(t, err)
	p.publish(t, string(document))

	who := newPerson()
	library, err := analytics.NewWithConfig(p.config.WriteKey, analytics.Config{Endpoint: p.base, BatchSize: 1})
	require.NoError(t, err)
	require.NoError(t, library.Enqueue(analytics.Identify{UserId: who.user, Traits: analytics.NewTraits().SetEmail(who.email).SetFirstName(who.name).Set("plan", "trial").Set("seats", 8)}))
	require.NoError(t, library.Enqueue(analytics.Track{UserId: who.user, Event: "Signed Up", Properties: analytics.NewProperties().Set("plan", "trial")}))
	require.NoError(t, library.Close())
	id := p.contact(t, who).ID
	eventually(t, "the first mail arrives", func() bool { return len(caught(t, who.email)) == 1 })
	eventually(t, "the journey listens", func() bool { return len(interests(t, p, id)) > 0 })
	p.track(t, who, "Project Created", nil)

	var handoff sales.Handoff
	eventually(t, "the handoff opens", func() bool {
		open := admin[list[sales.Handoff]](t, p, "GET", "/v1/handoffs?status=open", "")
		for _, h := range open.Data {
			if h.ContactID == id {
				handoff = h
			}
		}
		return handoff.ID != ""
	})
	c := p.temporal(t)
	eventually(t, "the handoff's workflow runs", func() bool {
		_, err := c.DescribeWorkflowExecution(t.Context(), workflows.HandoffID(handoff.ID), "")
		return err == nil
	})
	require.ErrorContains(t, update(t, c, handoff.ID, workflows.UpdateWon, 4900), "Accept this handoff first")
	require.ErrorContains(t, update(t, c, handoff.ID, workflows.UpdateAccept, ""), "Please say something")
	require.NoError(t, update(t, c, handoff.ID, workflows.UpdateAccept, "ana"))
	status, body := p.do(t, "POST", "/v1/handoffs/"+handoff.ID+"/accept", p.config.AdminKey, `{"owner":"ben"}`)
	require.Equal(t, 409, status, string(body))
	admin[sales.Handoff](t, p, "POST", "/v1/handoffs/"+handoff.ID+"/won", `{"amount":4900}`)
	require.Equal(t, journey.Completed, journey.EnrollmentState(p.ended(t, id).Kind))
	require.Equal(t, "customer", p.contact(t, who).Stage)
	won := p.decision(t, id, handoff.StepID, "handoff")
	require.NotNil(t, won)
	require.Equal(t, journey.PortWon, won.Outcome)
	record(t, c, workflows.JourneyID(id), "", "journey-trial-to-paid")
	record(t, c, workflows.HandoffID(handoff.ID), "", "handoff-won")
	noPersonalData(t, who)
}

func update(t *testing.T, c client.Client, handoffID, name string, arg any) error {
	t.Helper()
	handle, err := c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: workflows.HandoffID(handoffID), UpdateName: name, Args: []any{arg}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return handle.Get(t.Context(), nil)
}

// A step that is stuck retrying in one enrollment does not delay another of the same contact.
func TestStuckStepDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome")
	p.publish(t, "journey: stuck\nenter: [{event: Signed Up}]\nsteps:\n  - id: call\n    webhook: {url: \"http://127.0.0.1:1/down\", event: x}\n  - id: done\n    exit: finished\n")
	p.publish(t, strings.Replace(sendWaitSend, "template: tips", "template: welcome", 1))
	who := newPerson()
	id := p.identify(t, who, nil)
	p.track(t, who, "Signed Up", nil)
	eventually(t, "the other enrollment waits", func() bool {
		m := p.messageAt(t, id, "welcome")
		return m != nil && m.State == email.Sent
	})
	p.track(t, who, "Project Created", nil)
	eventually(t, "the other enrollment ends", func() bool { return p.decision(t, id, "done", "completed") != nil })
	require.Nil(t, p.decision(t, id, "call", "webhook"), "the stuck step must still be stuck")
	record(t, p.temporal(t), workflows.JourneyID(id), "", "journey-stuck-step")
}

// Every message id counts once, whatever the order and the number of tries.
func TestSameEventThreeTimes(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome")
	p.publish(t, strings.Replace(sendWaitSend, "template: tips", "template: welcome", 1))
	who := newPerson()
	id := p.identify(t, who, nil)
	event := map[string]any{"userId": who.user, "event": "Signed Up", "messageId": uuid.NewString()}
	for range 3 {
		p.segment(t, "/v1/track", event)
	}
	eventually(t, "the welcome is sent", func() bool { return len(caught(t, who.email)) > 0 })
	signups := 0
	for _, e := range p.timeline(t, id) {
		if e.Event != nil && e.Event.Name == "Signed Up" {
			signups++
		}
	}
	require.Equal(t, 1, signups)
	require.Len(t, caught(t, who.email), 1)
}

// A short wait takes its time and its time-out path; the values that decided are on the timeline.
func TestWaitBranchAndTimeline(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.publish(t, `
journey: kinds
enter: [{event: Signed Up, when: contact.plan == "trial"}]
goal: {event: Bought}
steps:
  - id: pause
    wait: 1s
  - id: active
    wait_for:
      - {event: Project Created, when: event.kind == "real", go: mark}
      - {after: 2s, go: mark}
  - id: mark
    update: {set: {nudged: true}, increment: {nudges: 2}}
  - id: points
    score: {add: 7, reason: nudged}
  - id: fit
    branch:
      - {when: contact.seats >= 5 && score == 7, go: done}
      - {else: true, go: never}
  - id: never
    exit: never
  - id: done
    exit: finished
`)
	who := newPerson()
	id := p.identify(t, who, map[string]any{"plan": "trial", "seats": 5})
	p.track(t, who, "Signed Up", nil)
	eventually(t, "it waits for a project", func() bool { return len(interests(t, p, id)) == 2 })
	p.track(t, who, "Project Created", map[string]any{"kind": "toy"})
	began := time.Now()
	require.Equal(t, "finished", p.ended(t, id).Reason)
	require.Less(t, time.Since(began), 30*time.Second)
	require.Equal(t, journey.PortTimeout, p.decision(t, id, "active", "wait_for").Outcome)
	branch := p.decision(t, id, "fit", "branch")
	require.Equal(t, "done", branch.Detail["next"], "a reader knows steps, not ports")
	raw, err := json.Marshal(branch.Detail)
	require.NoError(t, err)
	require.Contains(t, string(raw), "contact.seats", "the values that decided are recorded")
	record(t, p.temporal(t), workflows.JourneyID(id), "", "journey-every-kind")
	contact := p.contact(t, who)
	require.Equal(t, 7, contact.Score)
	require.InDelta(t, 2, contact.Traits["nudges"], 0)
	require.Equal(t, true, contact.Traits["nudged"])

	other := newPerson()
	otherID := p.identify(t, other, map[string]any{"plan": "paid"})
	p.track(t, other, "Signed Up", nil)
	eventually(t, "the refusal is on the timeline", func() bool {
		for _, e := range p.timeline(t, otherID) {
			if e.Decision != nil && e.Decision.Kind == "not_entered" {
				return e.Decision.Reason == "condition_not_met"
			}
		}
		return false
	})
}

// A back end enrolls a contact and sends it a signal with a Bearer key, each safe to try again.
func TestEnrollAndSignalByAPI(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome")
	p.template(t, "tips", "Tips")
	p.publish(t, sendWaitSend)
	who := newPerson()
	id := p.identify(t, who, nil)
	var enrolled [2]journey.Enrollment
	for i, want := range []int{http.StatusCreated, http.StatusOK} {
		status, body := p.doWith(t, "POST", "/v1/journeys/budget/enrollments", p.config.AdminKey, `{"contact_id":"`+id+`"}`, "Idempotency-Key", "order-17")
		require.Equal(t, want, status, string(body))
		require.NoError(t, json.Unmarshal(body, &enrolled[i]))
	}
	require.Equal(t, enrolled[0].ID, enrolled[1].ID)
	eventually(t, "the welcome is sent", func() bool { return len(caught(t, who.email)) == 1 })
	eventually(t, "it waits", func() bool { return len(interests(t, p, id)) > 0 })
	status, body := p.do(t, "POST", "/v1/journeys/budget/enrollments", p.config.AdminKey, `{"user_id":"`+who.user+`"}`)
	require.Equal(t, http.StatusConflict, status, string(body))

	var first, second struct {
		EventID   string `json:"event_id"`
		Duplicate bool   `json:"duplicate"`
	}
	for _, answer := range []any{&first, &second} {
		status, body := p.doWith(t, "POST", "/v1/contacts/"+id+"/signals", p.config.AdminKey, `{"name":"Project Created"}`, "Idempotency-Key", "signal-4")
		require.Equal(t, http.StatusAccepted, status, string(body))
		require.NoError(t, json.Unmarshal(body, answer))
	}
	require.Equal(t, first.EventID, second.EventID)
	require.True(t, second.Duplicate)
	require.Equal(t, "finished", p.ended(t, id).Reason)
	require.Len(t, caught(t, who.email), 2)
}

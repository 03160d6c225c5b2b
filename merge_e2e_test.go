package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/workflows"
)

// visitor is somebody who has left an address and has no user id yet.
type visitor struct {
	person
	id string // the contact's
}

func (p *product) visit(t *testing.T) visitor {
	t.Helper()
	v := visitor{person: newPerson()}
	p.segment(t, "/v1/identify", map[string]any{
		"anonymousId": v.user, "traits": map[string]any{"email": v.email, "first_name": v.name}, "messageId": uuid.NewString(),
	})
	found := admin[list[audience.Contact]](t, p, "GET", "/v1/contacts?email="+v.email, "")
	require.Len(t, found.Data, 1)
	v.id = found.Data[0].ID
	return v
}

func (p *product) does(t *testing.T, v visitor, event string) {
	t.Helper()
	p.segment(t, "/v1/track", map[string]any{"anonymousId": v.user, "event": event, "messageId": uuid.NewString()})
}

// joins says that a visitor is a user, as a tracking library does when somebody logs in.
func (p *product) joins(t *testing.T, v visitor, who person) {
	t.Helper()
	p.segment(t, "/v1/identify", map[string]any{"userId": who.user, "anonymousId": v.user, "messageId": uuid.NewString()})
}

// over waits until the journey of a merged contact has ended by itself.
func over(t *testing.T, c client.Client, contactID string) {
	t.Helper()
	eventually(t, "the merged contact's journey ends", func() bool {
		d, err := c.DescribeWorkflowExecution(t.Context(), workflows.JourneyID(contactID), "")
		return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	})
}

// kinds counts the decisions on a timeline.
func (p *product) kinds(t *testing.T, contactID string) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, e := range p.timeline(t, contactID) {
		if e.Decision != nil {
			n[e.Decision.Kind]++
		}
	}
	return n
}

// Somebody who waits in a journey logs in: the journey goes on as the user's, from where it stood, and nothing is sent twice.
func TestMergeOfAWaitingContact(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome")
	p.template(t, "tips", "Tips")
	p.publish(t, sendWaitSend)
	c, who, v := p.temporal(t), newPerson(), p.visit(t)
	id := p.identify(t, who, nil)
	p.does(t, v, "Signed Up")
	eventually(t, "the visitor waits", func() bool { return len(interests(t, p, v.id)) > 0 && len(caught(t, v.email)) == 1 })
	var before, after time.Time
	const wakeAt = "SELECT wake_at FROM enrollments WHERE contact_id = $1 AND state = 'waiting'"
	query(t, p.config.DatabaseURL, wakeAt, []any{v.id}, &before)
	require.False(t, before.IsZero())

	p.joins(t, v, who)
	require.Equal(t, id, admin[audience.Contact](t, p, "GET", "/v1/contacts/"+v.id, "").ID)
	over(t, c, v.id)
	eventually(t, "the user's journey listens", func() bool { return len(interests(t, p, id)) > 0 })
	query(t, p.config.DatabaseURL, wakeAt, []any{id}, &after)
	require.Equal(t, before, after, "the deadline is the one that it was")
	p.does(t, v, "Project Created")
	require.Equal(t, "finished", p.ended(t, id).Reason)
	require.Len(t, caught(t, v.email), 1, "the welcome went out before")
	require.Len(t, caught(t, who.email), 1, "the tips go to the user's own address")
	require.Equal(t, 1, p.kinds(t, id)["merged"])
	require.Equal(t, 1, p.kinds(t, id)["entered"])
	record(t, c, workflows.JourneyID(v.id), "", "journey-merged-away")
	record(t, c, workflows.JourneyID(id), "", "journey-merged-into")
	noPersonalData(t, v.person)
}

// The login comes while a mail is on its way: it arrives once, and the journey goes on after it.
func TestMergeInTheMiddleOfASend(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome")
	p.template(t, "tips", "Tips")
	p.publish(t, sendWaitSend)
	c, who, v := p.temporal(t), newPerson(), p.visit(t)
	id := p.identify(t, who, nil)
	misbehave(t, p.config.InboxURL, map[string]any{"at": "rcpt", "action": "delay", "seconds": 6, "times": 1, "rcpt": v.email})
	p.does(t, v, "Signed Up")
	eventually(t, "the mail is on its way", func() bool {
		m := p.messageAt(t, v.id, "welcome")
		return m != nil && m.State == email.Sending
	})
	p.joins(t, v, who)
	p.track(t, who, "Project Created", nil)
	require.Equal(t, "finished", p.ended(t, id).Reason)
	over(t, c, v.id)
	require.Len(t, caught(t, v.email), 1)
	require.Len(t, caught(t, who.email), 1)
	for _, m := range p.messages(t, id) {
		require.Equal(t, []any{email.Sent, 1}, []any{m.State, m.Attempt}, m.StepID)
	}
}

const desk = `
journey: desk
enter: [{event: Call me}]
steps:
  - id: to_sales
    handoff: {why: Asked for a call, won: done, lost: done, rejected: done}
  - id: done
    exit: done
`

func (p *product) openHandoff(t *testing.T, contactID string) sales.Handoff {
	t.Helper()
	var handoff sales.Handoff
	eventually(t, "the handoff is made and shown", func() bool {
		for _, h := range admin[list[sales.Handoff]](t, p, "GET", "/v1/handoffs?status=open&limit=200", "").Data {
			if h.ContactID == contactID {
				handoff = h
			}
		}
		if handoff.ID == "" {
			return false
		}
		_, err := p.temporal(t).DescribeWorkflowExecution(t.Context(), workflows.HandoffID(handoff.ID), "")
		return err == nil
	})
	return handoff
}

// Sales goes on working with a contact that has become another one.
func TestMergeWithAnOpenHandoff(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.publish(t, desk)
	c, who, v := p.temporal(t), newPerson(), p.visit(t)
	id := p.identify(t, who, nil)
	p.does(t, v, "Call me")
	handoff := p.openHandoff(t, v.id)
	p.joins(t, v, who)
	over(t, c, v.id)
	require.NoError(t, update(t, c, handoff.ID, workflows.UpdateAccept, "ana"))
	require.NoError(t, update(t, c, handoff.ID, workflows.UpdateWon, 4900))
	require.Equal(t, "done", p.ended(t, id).Reason)
	require.Equal(t, "customer", p.contact(t, who).Stage)
	won := admin[sales.Handoff](t, p, "GET", "/v1/handoffs/"+handoff.ID, "")
	require.Equal(t, []any{id, sales.HandoffWon}, []any{won.ContactID, won.Status})
	record(t, c, workflows.HandoffID(handoff.ID), "", "handoff-won-after-merge")
}

// Both are in the same journey: the older enrollment goes on, the younger ends, and what sales had of it is taken back.
func TestMergeOfTwoInTheSameJourney(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.publish(t, desk)
	c, who, v := p.temporal(t), newPerson(), p.visit(t)
	id := p.identify(t, who, nil)
	p.track(t, who, "Call me", nil)
	older := p.openHandoff(t, id)
	p.does(t, v, "Call me")
	younger := p.openHandoff(t, v.id)
	p.joins(t, v, who)
	over(t, c, v.id)
	var status sales.HandoffStatus
	require.NoError(t, c.GetWorkflow(t.Context(), workflows.HandoffID(younger.ID), "").Get(t.Context(), &status), "the rep's card is closed")
	require.Equal(t, sales.HandoffCancelled, status)
	code, body := p.do(t, "POST", "/v1/handoffs/"+younger.ID+"/accept", p.config.AdminKey, `{"owner":"ana"}`)
	require.Equal(t, http.StatusConflict, code, string(body))
	admin[sales.Handoff](t, p, "POST", "/v1/handoffs/"+older.ID+"/accept", `{"owner":"ana"}`)
	admin[sales.Handoff](t, p, "POST", "/v1/handoffs/"+older.ID+"/won", `{"amount":1}`)
	eventually(t, "the older one is completed", func() bool { return p.kinds(t, id)[string(journey.Completed)] == 1 })
	require.Equal(t, 1, p.kinds(t, id)[string(journey.Cancelled)])
}

// A process that dies between the merge and the pokes loses nothing: the sweeper finds the contact pending.
func TestMergeThatNobodyPokes(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome")
	p.template(t, "tips", "Tips")
	p.publish(t, sendWaitSend)
	who, v := newPerson(), p.visit(t)
	id := p.identify(t, who, nil)
	p.does(t, v, "Signed Up")
	eventually(t, "the visitor waits", func() bool { return len(interests(t, p, v.id)) > 0 && len(caught(t, v.email)) == 1 })
	s, err := store.Open(t.Context(), p.config.DatabaseURL) // a store of its own wakes nobody
	require.NoError(t, err)
	t.Cleanup(s.Close)
	_, err = s.MergeContacts(t.Context(), time.Now(), id, v.id)
	require.NoError(t, err)
	eventually(t, "the sweeper has woken the user's journey", func() bool { return len(interests(t, p, id)) > 0 })
	p.track(t, who, "Project Created", nil)
	require.Equal(t, "finished", p.ended(t, id).Reason)
	require.Len(t, append(caught(t, v.email), caught(t, who.email)...), 2)

	status, _ := p.do(t, "POST", "/v1/contacts/"+id+"/merge", p.config.AdminKey, `{"from":"`+v.id+`"}`)
	require.Equal(t, http.StatusOK, status, "merged before")
}

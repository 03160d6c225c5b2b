package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/workflows"
)

// settled is how many recipients have come to their end.
func (p *product) settled(t *testing.T, id string) int64 {
	t.Helper()
	return p.numbers(t, id).Settled
}

// stand is how many recipients stand where, and why.
func (p *product) stand(t *testing.T, id string) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for _, n := range p.numbers(t, id).Counts {
		counts[string(n.State)+" "+n.Reason] = n.Total
	}
	return counts
}

func (p *product) withdraw(t *testing.T, contactID string) {
	t.Helper()
	query(t, p.config.DatabaseURL, "INSERT INTO consents (contact_id, topic, granted, source, at) VALUES ($1, 'marketing', false, 'test', now()) RETURNING true", []any{contactID}, new(bool))
}

// Who pauses a broadcast stops it at once; it goes on from there, and who has unsubscribed meanwhile gets nothing.
func TestBroadcastPausesAndGoesOn(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "news", "News")
	c := newMembers(t, p, 20, nil)
	b := p.broadcast(t, email.BroadcastPlan{Name: "Slow", Segment: c.segment, Template: "news", Schedule: now(), Rate: 60}) // ten, and ten seconds later the others
	mails := func() (n int) {
		query(t, p.config.DatabaseURL, "SELECT count(*) FROM messages", nil, &n)
		return n
	}
	eventually(t, "the first batch is sent", func() bool { return p.settled(t, b.ID) == 10 })
	p.act(t, b.ID, email.PauseBroadcast)
	began := time.Now()
	var left person
	for _, who := range c.people {
		if len(caught(t, who.email)) == 0 {
			left = who
		}
	}
	p.withdraw(t, p.contact(t, left).ID)
	for time.Since(began) < 12*time.Second { // longer than the pace
		require.Equal(t, 10, mails(), "nothing starts while it is paused")
		time.Sleep(look) //nolint:forbidigo // the pause between two looks, not a synchronisation
	}
	p.act(t, b.ID, email.ResumeBroadcast)
	p.over(t, b.ID, email.BroadcastCompleted)
	require.Equal(t, map[string]int64{"sent ": 19, "skipped unsubscribed": 1}, p.stand(t, b.ID))
	require.Equal(t, email.ReasonUnsubscribed, p.recipients(t, b.ID)[left.user].Reason)
	for _, who := range c.people {
		require.Len(t, caught(t, who.email), map[bool]int{true: 0, false: 1}[who == left])
	}
}

// The Temporal UI can do the same, by updates; who is left out by a cancellation has that as the reason.
func TestBroadcastIsCancelledInTheTemporalUI(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "news", "News")
	c := newMembers(t, p, 15, nil)
	b := p.broadcast(t, email.BroadcastPlan{Name: "Slow", Segment: c.segment, Template: "news", Schedule: now(), Rate: 60})
	eventually(t, "the first batch is sent", func() bool { return p.settled(t, b.ID) == 10 })
	temporal := p.temporal(t)
	for _, step := range [][2]string{{"pause", "paused"}, {"resume", "running"}, {"pause", "paused"}, {"cancel", "cancelled"}} {
		handle, err := temporal.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
			WorkflowID: workflows.BroadcastID(b.ID), UpdateName: step[0], Args: []any{"ana"}, WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		require.NoError(t, err)
		var state string
		require.NoError(t, handle.Get(t.Context(), &state))
		require.Equal(t, step[1], state)
	}
	require.NoError(t, temporal.GetWorkflow(t.Context(), workflows.BroadcastID(b.ID), "").Get(t.Context(), nil), "it comes to its end")
	record(t, temporal, workflows.BroadcastID(b.ID), "", "broadcast-cancelled")
	require.Equal(t, "ana", p.over(t, b.ID, email.BroadcastCancelled).ChangedBy)
	require.Equal(t, map[string]int64{"sent ": 10, "skipped broadcast_cancelled": 5}, p.stand(t, b.ID))
}

// A worker that is killed in the middle of a broadcast, again and again, skips nobody and writes to nobody twice. What it had in its hands
// at the moment is of unknown fate, and stays so.
func TestBroadcastSurvivesTheWorker(t *testing.T) {
	if testing.Short() {
		t.Skip("kills and restarts real servers: left out of -short")
	}
	t.Parallel()
	const many, kills = 300, 2
	w := newWorld(t)
	w.start("temporal", "inbox", "api", "worker")
	p := w.product()
	p.template(t, "news", "News")
	c := newMembers(t, p, many, nil)
	b := p.broadcast(t, email.BroadcastPlan{Name: "Kill", Segment: c.segment, Template: "news", Schedule: now(), Rate: 1200}) // in batches of 200
	taken := func() (n int) {
		query(t, w.config.DatabaseURL, "SELECT count(*) FROM messages", nil, &n)
		return n
	}
	for kill := range kills {
		before := taken()
		eventually(t, "some mails start", func() bool { return taken() > before+10 })
		w.kill("worker")
		require.Less(t, taken(), many, "kill %d comes in the middle", kill)
		w.start("worker")
	}
	p.over(t, b.ID, email.BroadcastCompleted)
	all := p.recipients(t, b.ID)
	require.Len(t, all, many)
	unknown, arrived := 0, 0
	for _, who := range c.people {
		mails := caughtAt(t, w.config.InboxURL, who.email)
		require.LessOrEqual(t, len(mails), 1, "nobody twice")
		arrived += len(mails)
		switch r := all[who.user]; r.State {
		case "sent":
			require.Len(t, mails, 1, "what was sent has arrived")
		case "unknown":
			require.Equal(t, email.ReasonFateUnknown, r.Reason)
			unknown++
		case email.RecipientPending, email.RecipientHeld, email.RecipientSending, email.RecipientSkipped, email.RecipientFailed, "rejected":
			require.Fail(t, "skipped: "+string(r.State)+" "+r.Reason)
		}
	}
	require.LessOrEqual(t, unknown, kills*16, "only what was in its hands")
	t.Logf("%d SIGKILLs, %d recipients, %d arrived, 0 duplicates, 0 skipped, %d unknown", kills, many, arrived, unknown)
}

// Contacts that are erased or merged while a broadcast goes out: of the one nothing is left, of the other two the person has one mail.
func TestBroadcastMeetsErasureAndMerge(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "news", "News")
	c := newMembers(t, p, 12, nil)
	ids := map[string]person{}
	for _, who := range c.people {
		ids[p.contact(t, who).ID] = who
	}
	b := p.broadcast(t, email.BroadcastPlan{Name: "Slow", Segment: c.segment, Template: "news", Schedule: now(), Rate: 24}) // four at a time
	eventually(t, "the first batch is sent", func() bool { return p.settled(t, b.ID) == 4 })
	p.act(t, b.ID, email.PauseBroadcast)
	var mailed, waiting []person
	for _, r := range p.recipients(t, b.ID) {
		if r.State == "sent" {
			mailed = append(mailed, ids[r.ContactID])
		} else {
			waiting = append(waiting, ids[r.ContactID])
		}
	}
	erased, into, from, one, other := waiting[0], mailed[0], waiting[1], waiting[2], waiting[3]
	status, body := p.do(t, http.MethodPost, "/v1/contacts/"+p.contact(t, erased).ID+"/erase", p.config.AdminKey, "")
	require.Less(t, status, 300, string(body))
	eventually(t, "the rows are gone", func() bool { return len(p.recipients(t, b.ID)) == 11 })
	for _, pair := range [][2]person{{into, from}, {one, other}} {
		admin[map[string]any](t, p, http.MethodPost, "/v1/contacts/"+p.contact(t, pair[0]).ID+"/merge", fmt.Sprintf(`{"from":%q}`, p.contact(t, pair[1]).ID))
	}
	p.act(t, b.ID, email.ResumeBroadcast)
	p.over(t, b.ID, email.BroadcastCompleted)
	require.Len(t, caught(t, into.email), 1)
	require.Empty(t, caught(t, from.email), "the person has it already")
	require.Len(t, append(caught(t, one.email), caught(t, other.email)...), 1)
	require.Empty(t, caught(t, erased.email))
	require.Equal(t, map[string]int64{"sent ": 9, "skipped doubled": 2}, p.stand(t, b.ID))
}

// An api that dies between the commit of a start and waking the workflow loses nothing: the sweeper wakes it.
func TestBroadcastThatNobodyWoke(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "news", "News")
	c := newMembers(t, p, 3, nil)
	db, err := store.Open(t.Context(), p.config.DatabaseURL)
	require.NoError(t, err)
	defer db.Close()
	b, err := db.CreateBroadcast(t.Context(), email.BroadcastPlan{Name: "Lost", Segment: c.segment, Template: "news", Schedule: now()}, "ana", time.Now())
	require.NoError(t, err)
	_, err = db.ActOnBroadcast(t.Context(), b.ID, email.StartBroadcast, nil, "ana", time.Now())
	require.NoError(t, err)
	p.over(t, b.ID, email.BroadcastCompleted)
	require.Equal(t, map[string]int64{"sent ": 3}, p.stand(t, b.ID))
	record(t, p.temporal(t), workflows.BroadcastID(b.ID), "", "broadcast-completed")
}

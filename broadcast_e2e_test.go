package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

// members are contacts of a test's own, in a segment of their own.
type members struct {
	segment string
	people  []person
}

// newMembers makes contacts and a segment of them, and waits until it is filled. traits may differ by the number of the contact.
func newMembers(t *testing.T, p *product, n int, traits func(i int) map[string]any) members {
	t.Helper()
	c := members{segment: "crowd-" + uuid.NewString()[:8]}
	var batch []map[string]any
	for i := range n {
		who := newPerson()
		c.people = append(c.people, who)
		all := map[string]any{"email": who.email, "first_name": who.name, "crowd": c.segment}
		if traits != nil {
			for k, v := range traits(i) {
				all[k] = v
			}
		}
		batch = append(batch, map[string]any{"type": "identify", "userId": who.user, "messageId": uuid.NewString(), "traits": all})
		if len(batch) == 200 || i == n-1 {
			p.segment(t, "/v1/batch", map[string]any{"batch": batch})
			batch = nil
		}
	}
	condition, err := json.Marshal(map[string]any{"name": c.segment, "condition": fmt.Sprintf("contact.crowd == %q", c.segment)})
	require.NoError(t, err)
	admin[map[string]any](t, p, http.MethodPut, "/v1/segments/"+c.segment, string(condition))
	eventually(t, "the segment is filled", func() bool {
		s := admin[audience.SegmentState](t, p, http.MethodGet, "/v1/segments/"+c.segment, "")
		return s.FilledAt != nil && s.Members == int64(n)
	})
	return c
}

// broadcast makes a broadcast and starts it.
func (p *product) broadcast(t *testing.T, plan email.BroadcastPlan) email.Broadcast {
	t.Helper()
	document, err := json.Marshal(plan)
	require.NoError(t, err)
	draft := admin[api.SavedBroadcast](t, p, http.MethodPost, "/v1/broadcasts", string(document))
	require.Empty(t, draft.Problems)
	return p.act(t, draft.ID, email.StartBroadcast)
}

func (p *product) act(t *testing.T, id string, action email.BroadcastAction) email.Broadcast {
	t.Helper()
	return admin[email.Broadcast](t, p, http.MethodPost, "/v1/broadcasts/"+id+"/"+string(action), "")
}

func (p *product) numbers(t *testing.T, id string) api.BroadcastNumbers {
	t.Helper()
	return admin[api.BroadcastNumbers](t, p, http.MethodGet, "/v1/broadcasts/"+id+"/numbers", "")
}

// over waits until a broadcast is in a state, and gives it.
func (p *product) over(t *testing.T, id string, state email.BroadcastState) email.Broadcast {
	t.Helper()
	var b email.Broadcast
	eventually(t, "the broadcast is "+string(state), func() bool {
		b = admin[email.Broadcast](t, p, http.MethodGet, "/v1/broadcasts/"+id, "")
		return b.State == state
	})
	return b
}

// recipients are all of them, by contact's user id.
func (p *product) recipients(t *testing.T, id string) map[string]email.BroadcastRecipient {
	t.Helper()
	all := map[string]email.BroadcastRecipient{}
	for cursor := ""; ; {
		page := admin[list[email.BroadcastRecipient]](t, p, http.MethodGet, "/v1/broadcasts/"+id+"/recipients?limit=200&cursor="+cursor, "")
		for _, r := range page.Data {
			all[r.UserID] = r
		}
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}

func now() email.BroadcastSchedule { return email.BroadcastSchedule{Kind: email.ScheduleNow} }

// A broadcast goes to everybody in the segment once; who can't get it has a reason, and it shows where people look.
func TestBroadcast(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "news", "News for {{ contact.first_name }}")
	c := newMembers(t, p, 30, func(i int) map[string]any {
		if i == 0 {
			return map[string]any{"email": nil}
		}
		return nil
	})
	left, stays := c.people[1], c.people[2]
	query(t, p.config.DatabaseURL, "INSERT INTO consents (contact_id, topic, granted, source, at) VALUES ($1, 'marketing', false, 'test', now()) RETURNING true",
		[]any{p.contact(t, left).ID}, new(bool))
	count := admin[api.BroadcastCount](t, p, http.MethodPost, "/v1/broadcasts/count", fmt.Sprintf(`{"segment":%q}`, c.segment))
	require.Equal(t, int64(30), count.Members)
	require.Equal(t, int64(28), count.Mailed)
	require.Len(t, count.Refused, 2)

	b := p.broadcast(t, email.BroadcastPlan{Name: "March", Segment: c.segment, Template: "news", Schedule: now()})
	p.over(t, b.ID, email.BroadcastCompleted)
	all := p.recipients(t, b.ID)
	require.Len(t, all, 30)
	for i, who := range c.people {
		switch i {
		case 0:
			require.Equal(t, email.ReasonNoAddress, all[who.user].Reason)
		case 1:
			require.Equal(t, email.ReasonUnsubscribed, all[who.user].Reason)
			require.Empty(t, caught(t, who.email))
		default:
			require.Equal(t, "sent", string(all[who.user].State))
			mails := caught(t, who.email)
			require.Len(t, mails, 1)
			require.Equal(t, "News for "+who.name, mails[0].Subject)
		}
	}
	require.Contains(t, unsubscribeLink(t, caught(t, stays.email)[0].ID, p.config.InboxURL), p.config.PublicURL+"/u/")
	messages := p.messages(t, p.contact(t, stays).ID)
	require.Len(t, messages, 1)
	require.Equal(t, &email.InBroadcast{ID: b.ID, Name: "March"}, messages[0].Broadcast)
	var shown *email.Message
	for _, e := range p.timeline(t, p.contact(t, stays).ID) {
		if e.Message != nil {
			shown = e.Message
		}
	}
	require.NotNil(t, shown)
	require.Equal(t, "March", shown.Broadcast.Name)
	status, body := p.do(t, http.MethodPost, "/v1/broadcasts/"+b.ID+"/pause", p.config.AdminKey, "")
	require.Equal(t, http.StatusConflict, status)
	require.True(t, strings.Contains(string(body), "broadcast_state"), string(body))
	status, _ = p.do(t, http.MethodDelete, "/v1/segments/"+c.segment, p.config.AdminKey, "")
	require.Less(t, status, 300, "a broadcast that is over holds its segment no more")
}

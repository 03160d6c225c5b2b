package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/workflows"
)

// clocked is a product whose clock the test turns: the real workflow, database and mail server.
type clocked struct {
	process *process
	begin   time.Time
	ids     map[string]string // by address
}

func newClocked(t *testing.T, policy email.Policy, begin time.Time, people map[string]map[string]any) *clocked {
	t.Helper()
	long := begin.Add(-time.Hour)
	p := newRuled(t, policy, long)
	c := &clocked{process: p, begin: begin, ids: map[string]string{}}
	for address, traits := range people {
		all := map[string]any{"email": address, "vip": true}
		for k, v := range traits {
			all[k] = v
		}
		accepted, err := p.store.Ingest(t.Context(), long, []audience.Incoming{{Source: "test", MessageID: address, Type: audience.TypeIdentify, UserID: address, Traits: all, OccurredAt: long}})
		require.NoError(t, err)
		c.ids[address] = accepted[0].ContactID
	}
	_, err := p.store.SaveSegment(t.Context(), "vips", "VIPs", "contact.vip == true", nil, long)
	require.NoError(t, err)
	for done := false; !done; {
		done, err = p.store.Walk(t.Context(), long, 1000)
		require.NoError(t, err)
	}
	return c
}

// run starts a broadcast and lets it come to its end. at happens on the way, at moments after the beginning.
func (c *clocked) run(t *testing.T, plan email.BroadcastPlan, at map[time.Duration]func(b email.Broadcast)) email.Broadcast {
	t.Helper()
	plan.Name, plan.Segment, plan.Template = "March", "vips", "hello"
	b, err := c.process.store.CreateBroadcast(t.Context(), plan, "ana", c.begin)
	require.NoError(t, err)
	require.Empty(t, plan.Check(c.begin))
	_, err = c.process.store.ActOnBroadcast(t.Context(), b.ID, email.StartBroadcast, nil, "ana", c.begin)
	require.NoError(t, err)
	env := skipping(c.process, c.begin, workflows.BroadcastID(b.ID))
	for after, happens := range at {
		env.RegisterDelayedCallback(func() { happens(b) }, after)
	}
	env.ExecuteWorkflow(workflows.BroadcastName, workflows.BroadcastInput{BroadcastID: b.ID})
	require.True(t, env.IsWorkflowCompleted())
	require.NoError(t, env.GetWorkflowError())
	b, err = c.process.store.FindBroadcast(t.Context(), b.ID)
	require.NoError(t, err)
	return b
}

// sent is when each contact's mail was sent, or why it was not.
func (c *clocked) sent(t *testing.T, layout string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for address, id := range c.ids {
		page, err := c.process.store.ListMessages(t.Context(), email.MessageFilter{ContactID: id}, "", 10)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Items), 1, "one mail each")
		for _, m := range page.Items {
			out[address] = m.Reason
			if m.SentAt != nil {
				out[address] = m.SentAt.UTC().Format(layout)
			}
		}
	}
	return out
}

// Nine o'clock is another moment for everybody.
func TestBroadcastAtLocalTime(t *testing.T) {
	t.Parallel()
	c := newClocked(t, email.Policy{Timezone: "Europe/Berlin"}, time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), map[string]map[string]any{
		"tokyo@example.test": {"timezone": "Asia/Tokyo"}, "berlin@example.test": {"timezone": "Europe/Berlin"}, "newyork@example.test": {"timezone": "America/New_York"}, "nowhere@example.test": {},
	})
	b := c.run(t, email.BroadcastPlan{Schedule: email.BroadcastSchedule{Kind: email.ScheduleLocal, Date: "2026-03-03", Time: "09:00"}}, nil)
	require.Equal(t, email.BroadcastCompleted, b.State)
	require.Equal(t, map[string]string{
		"tokyo@example.test": "3 00:00", "berlin@example.test": "3 08:00", "nowhere@example.test": "3 08:00", "newyork@example.test": "3 14:00",
	}, c.sent(t, "2 15:04"))
}

// Who is in the quiet hours gets it when they are over, caps hold too, and what would take longer than three days is left out with its reason.
func TestBroadcastIsHeld(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 3, 13, 0, 0, 0, time.UTC) // 22:00 in Tokyo
	c := newClocked(t, email.Policy{QuietHours: &audience.Hours{From: 21 * 60, Until: 8 * 60}, Caps: []email.Cap{{Max: 1, Days: 7}}}, begin, map[string]map[string]any{
		"tokyo@example.test": {"timezone": "Asia/Tokyo"}, "utc@example.test": {},
	})
	b := c.run(t, email.BroadcastPlan{Schedule: email.BroadcastSchedule{Kind: email.ScheduleNow}}, nil)
	require.Equal(t, email.BroadcastCompleted, b.State)
	require.Equal(t, map[string]string{"tokyo@example.test": "3 23:00", "utc@example.test": "3 13:00"}, c.sent(t, "2 15:04"))

	c.begin = begin.Add(24 * time.Hour)
	b = c.run(t, email.BroadcastPlan{Schedule: email.BroadcastSchedule{Kind: email.ScheduleNow}}, nil)
	counts, err := c.process.store.CountRecipients(t.Context(), b.ID)
	require.NoError(t, err)
	require.Equal(t, []email.RecipientCount{{State: email.RecipientSkipped, Reason: audience.ReasonCapped, Total: 2}}, counts, "a week is more than three days")
}

// The tested share gets the variants, the rest waits, and gets the winner as soon as it is sure; the holdout gets nothing, on the same clock.
func TestBroadcastSendsTheWinnerToTheRest(t *testing.T) {
	t.Parallel()
	people := map[string]map[string]any{}
	for i := range 1650 {
		people[fmt.Sprintf("p%d@example.test", i)] = nil
	}
	c := newClocked(t, email.Policy{}, time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC), people)
	plan := email.BroadcastPlan{
		Schedule: email.BroadcastSchedule{Kind: email.ScheduleNow}, Goal: &email.BroadcastGoal{Event: "Bought", Days: 1}, Holdout: 10,
		Variants: []email.BroadcastVariant{{Name: "A", Subject: "Short"}, {Name: "B", Subject: "Long"}},
		Test:     &email.BroadcastTest{Share: 80, Minutes: 240},
	}
	b := c.run(t, plan, map[time.Duration]func(email.Broadcast){90 * time.Minute: func(b email.Broadcast) {
		page, err := c.process.store.ListRecipients(t.Context(), b.ID, email.RecipientCount{State: "sent"}, "", 1000)
		require.NoError(t, err)
		bought := 0
		for cursor := "x"; cursor != ""; {
			var events []audience.Incoming
			for _, r := range page.Items {
				require.Equal(t, email.PartTest, r.Part, "the rest waits")
				if *r.Variant == 1 && bought < 100 {
					bought++
					at := c.begin.Add(90 * time.Minute)
					events = append(events, audience.Incoming{Source: "test", MessageID: r.MessageID, Type: audience.TypeTrack, Name: "Bought", ContactID: r.ContactID, OccurredAt: at})
				}
			}
			_, err = c.process.store.Ingest(t.Context(), c.begin.Add(90*time.Minute), events)
			require.NoError(t, err)
			if cursor = page.Next; cursor != "" {
				page, err = c.process.store.ListRecipients(t.Context(), b.ID, email.RecipientCount{State: "sent"}, cursor, 1000)
				require.NoError(t, err)
			}
		}
	}})
	require.Equal(t, email.BroadcastCompleted, b.State)
	require.Equal(t, 1, *b.Winner)
	require.Contains(t, b.Verdict, "B is better than every other variant, so the rest gets it (reached the goal: A: 0 of ")
	require.True(t, b.EndedAt.Before(c.begin.Add(2*time.Hour)), "it is decided before its time is over: %s", b.EndedAt)
	tally, err := c.process.store.TallyBroadcast(t.Context(), b)
	require.NoError(t, err)
	parts := map[email.RecipientPart]int64{}
	for _, v := range tally {
		parts[v.Part] += v.Entered
		if v.Part == email.PartRest {
			require.Equal(t, 1, v.Variant)
		}
	}
	require.Equal(t, int64(1650), parts[email.PartTest]+parts[email.PartRest]+parts[email.PartHoldout], "everybody is somewhere")
	require.InDelta(t, 165, parts[email.PartHoldout], 80)
	subjects, err := c.process.store.ListMessages(t.Context(), email.MessageFilter{Reason: email.ReasonHoldout}, "", 5)
	require.NoError(t, err)
	require.Len(t, subjects.Items, 5, "what is withheld is on the timeline")
	t.Logf("%s %v", b.Verdict, parts)
}

// Nothing is decided by the end: the rest gets what the plan says, in words.
func TestBroadcastThatDecidesNothing(t *testing.T) {
	t.Parallel()
	people := map[string]map[string]any{}
	for i := range 20 {
		people[fmt.Sprintf("p%d@example.test", i)] = nil
	}
	c := newClocked(t, email.Policy{}, time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC), people)
	b := c.run(t, email.BroadcastPlan{
		Schedule: email.BroadcastSchedule{Kind: email.ScheduleNow}, Variants: []email.BroadcastVariant{{Name: "A"}, {Name: "B"}}, Test: &email.BroadcastTest{Share: 50, Minutes: 60},
	}, nil)
	require.Equal(t, email.BroadcastCompleted, b.State)
	require.Zero(t, *b.Winner)
	require.Contains(t, b.Verdict, "Nothing was decided in time and no variant is ahead, so the rest gets A, the first (clicked: A: 0 of ")
	require.False(t, b.EndedAt.Before(c.begin.Add(time.Hour)), "not before its time is over")
	for _, at := range c.sent(t, "15:04") {
		require.Contains(t, []string{"09:00", "10:00"}, at)
	}
}

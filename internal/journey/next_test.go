package journey_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func after(d time.Duration) *time.Time { at := start.Add(d); return &at }

const walk = `
journey: walk
enter: [{event: Signed Up}]
goal: {event: Paid}
exit: [{event: Closed}, {event: Left, when: event.really}]
steps:
  - {id: hello, send: {template: hello}}
  - {id: pause, wait: 1d}
  - id: listen
    wait_for:
      - {event: Made, when: event.kind == "demo", go: hello}
      - {event: Made, go: sales}
      - {after: 2d, go: moment}
  - {id: moment, wait: {until: "2026-03-10T00:00:00Z"}}
  - {id: sales, handoff: {why: now, won: done, lost: hello, rejected: listen, expires: {after: 7d, go: done}}}
  - {id: done, exit: finished}
`

func TestNext(t *testing.T) {
	t.Parallel()
	_, plan := mustPlan(t, walk)
	state := func(step string, visits int) journey.State {
		return journey.State{Step: step, Visits: map[string]int{step: visits}, Seq: 7, Hops: 1}
	}
	for name, row := range map[string]struct {
		state   journey.State
		outcome journey.Outcome
		now     time.Time
		step    string
		command journey.Command
	}{
		"a wait parks": {state("hello", 1), journey.Outcome{Port: "next"}, start, "pause",
			journey.Command{Park: &journey.Park{Deadline: after(24 * time.Hour)}}},
		"a wait_for parks": {state("pause", 1), journey.Outcome{Port: "next", At: after(0)}, start, "listen",
			journey.Command{Park: &journey.Park{Deadline: after(48 * time.Hour)}}},
		"an arm leads to an effect": {state("listen", 1), journey.Outcome{Port: "0", Seq: 9}, start, "hello", journey.Command{Perform: true}},
		"a moment parks until then": {state("listen", 1), journey.Outcome{Port: "timeout"}, start, "moment",
			journey.Command{Park: &journey.Park{Deadline: ptr(time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC))}}},
		"a past moment passes at once": {state("listen", 1), journey.Outcome{Port: "timeout"}, start.AddDate(1, 0, 0), "sales", journey.Command{Perform: true}},
		"a handoff is made, then parks": {state("sales", 1), journey.Outcome{Port: "parked"}, start, "sales",
			journey.Command{Park: &journey.Park{Handoff: true, Deadline: after(7 * 24 * time.Hour)}}},
		"won": {state("sales", 1), journey.Outcome{Port: "won"}, start, "done",
			journey.Command{End: &journey.End{State: journey.Completed, Reason: "finished"}}},
		"goal": {state("pause", 1), journey.Outcome{Goal: true, Seq: 8}, start, "pause",
			journey.Command{End: &journey.End{State: journey.Completed, Reason: "goal"}}},
		"exit": {state("hello", 1), journey.Outcome{Exit: true, Seq: 8}, start, "hello",
			journey.Command{End: &journey.End{State: journey.Exited, Reason: "exit_event"}}},
		"failed": {state("hello", 1), journey.Outcome{Failed: true, Reason: "no_template"}, start, "hello",
			journey.Command{End: &journey.End{State: journey.Failed, Reason: "no_template"}}},
		"a port that it does not have": {state("hello", 1), journey.Outcome{Port: "won"}, start, "hello",
			journey.Command{End: &journey.End{State: journey.Failed, Reason: "impossible_outcome"}}},
		"parked, and no handoff": {state("hello", 1), journey.Outcome{Port: "parked"}, start, "hello",
			journey.Command{End: &journey.End{State: journey.Failed, Reason: "impossible_outcome"}}},
		"no such step": {state("gone", 1), journey.Outcome{Port: "next"}, start, "gone",
			journey.Command{End: &journey.End{State: journey.Failed, Reason: "unknown_step"}}},
	} {
		before, err := json.Marshal(row.state)
		require.NoError(t, err)
		got, command := plan.Next(row.state, row.outcome, row.now)
		require.Equal(t, row.step, got.Step, name)
		require.Equal(t, row.command, command, name)
		require.Equal(t, command.Park, got.Park, name)
		require.Equal(t, command.End, got.End, name)
		unchanged, err := json.Marshal(row.state)
		require.NoError(t, err)
		require.Equal(t, string(before), string(unchanged), "%s: the input was changed", name)

		again, command := plan.Next(got, journey.Outcome{Goal: true}, row.now)
		if got.End != nil {
			require.Equal(t, got, again, "an end is the end")
			require.Equal(t, got.End, command.End)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestNextKeepsSeqAndSince(t *testing.T) {
	t.Parallel()
	_, plan := mustPlan(t, walk)
	s, command := plan.Start(7, start)
	require.Equal(t, journey.State{Step: "hello", Visits: map[string]int{"hello": 1}, Seq: 7, Hops: 1}, s)
	require.Equal(t, journey.Command{Perform: true}, command)
	s, _ = plan.Next(s, journey.Outcome{Port: "next"}, start)
	require.Equal(t, "pause", s.Step)
	require.Zero(t, s.Hops, "a pause starts the count anew")
	s, _ = plan.Next(s, journey.Outcome{Port: "next", At: after(time.Hour)}, start.Add(2*time.Hour))
	require.Equal(t, after(time.Hour), s.Since)
	require.Equal(t, int64(7), s.Seq)
	s, _ = plan.Next(s, journey.Outcome{Port: "0", Seq: 12}, start)
	require.Nil(t, s.Since)
	require.Equal(t, int64(12), s.Seq)
	require.Equal(t, 2, s.Visit())

	_, waits := mustPlan(t, "journey: x\nsteps: [{id: a, wait: 1d}, {id: b, exit: x}]")
	s, command = waits.Start(0, start)
	require.Equal(t, after(24*time.Hour), s.Park.Deadline)
	require.Equal(t, s.Park, command.Park)
}

func TestNextStopsAnEndlessLoop(t *testing.T) {
	t.Parallel()
	// Validation refuses such plans; one that came by another way must not hang a workflow.
	plan := &journey.Plan{First: "a", Steps: map[string]journey.PlanStep{
		"a": {Kind: journey.KindScore, Ports: map[string]string{"next": "a"}},
		"w": {Kind: journey.KindWait, Until: &start, Ports: map[string]string{"next": "w"}},
	}}
	s, command := plan.Start(0, start)
	for command.End == nil {
		require.Less(t, s.Hops, 1001)
		s, command = plan.Next(s, journey.Outcome{Port: "next"}, start)
	}
	require.Equal(t, &journey.End{State: journey.Failed, Reason: "endless_loop"}, command.End)
	_, command = plan.Next(journey.State{Step: "a"}, journey.Outcome{Port: "next"}, start)
	require.True(t, command.Perform)
	plan.First = "w"
	_, command = plan.Start(0, start.Add(time.Hour))
	require.Equal(t, "endless_loop", command.End.Reason)
}

// event makes one that was received some hours after the start.
func event(seq int64, name string, hours float64) audience.Event {
	return audience.Event{Seq: seq, Name: name, ReceivedAt: start.Add(time.Duration(hours * float64(time.Hour)))}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	_, plan := mustPlan(t, walk)
	listen := journey.State{Step: "listen", Seq: 5, Park: &journey.Park{Deadline: after(48 * time.Hour)}}
	since := listen
	since.Since = after(10 * time.Hour)
	pause := journey.State{Step: "pause", Seq: 5, Park: &journey.Park{Deadline: after(24 * time.Hour)}}
	handoff := journey.State{Step: "sales", Seq: 5, Park: &journey.Park{Handoff: true, Deadline: after(168 * time.Hour)}}
	yes := func(pointers ...string) journey.Holds {
		return func(pointer string, _ audience.Event) (bool, error) { return slices.Contains(pointers, pointer), nil }
	}
	demo := "/steps/2/wait_for/0"
	won := &journey.HandoffResult{Port: "won", At: start}
	for name, row := range map[string]struct {
		state   journey.State
		events  []audience.Event
		holds   journey.Holds
		handoff *journey.HandoffResult
		hours   int
		want    journey.Outcome // the zero value: nothing
	}{
		"nothing yet":                             {state: listen, hours: 47},
		"the deadline itself is due":              {state: listen, hours: 48, want: journey.Outcome{Port: "timeout", At: after(48 * time.Hour)}},
		"a wait leaves by next":                   {state: pause, hours: 24, want: journey.Outcome{Port: "next", At: after(24 * time.Hour)}},
		"a handoff expires":                       {state: handoff, hours: 168, want: journey.Outcome{Port: "expired", At: after(168 * time.Hour)}},
		"the condition holds":                     {state: listen, events: []audience.Event{event(6, "Made", 1)}, holds: yes(demo), hours: 1, want: journey.Outcome{Port: "0", Seq: 6}},
		"the next arm of the same event":          {state: listen, events: []audience.Event{event(6, "Made", 1)}, hours: 1, want: journey.Outcome{Port: "1", Seq: 6}},
		"an event that counted before":            {state: listen, events: []audience.Event{event(5, "Made", 1)}, hours: 1},
		"the first event wins":                    {state: listen, events: []audience.Event{event(8, "Paid", 3), event(7, "Made", 2), event(6, "Other", 1)}, hours: 4, want: journey.Outcome{Port: "1", Seq: 7}},
		"goal before exit before arms":            {state: listen, events: []audience.Event{event(6, "Paid", 1)}, hours: 4, want: journey.Outcome{Goal: true, Seq: 6}},
		"exit":                                    {state: pause, events: []audience.Event{event(6, "Closed", 1)}, hours: 1, want: journey.Outcome{Exit: true, Seq: 6}},
		"a conditional exit that does not hold":   {state: pause, events: []audience.Event{event(6, "Left", 1)}, hours: 1},
		"a conditional exit that holds":           {state: pause, events: []audience.Event{event(6, "Left", 1)}, holds: yes("/exit/1"), hours: 1, want: journey.Outcome{Exit: true, Seq: 6}},
		"a plain wait has no arms":                {state: pause, events: []audience.Event{event(6, "Made", 1)}, hours: 1},
		"received up to Since: not for arms":      {state: since, events: []audience.Event{event(6, "Made", 10)}, hours: 11},
		"received after Since":                    {state: since, events: []audience.Event{event(6, "Made", 10.1)}, hours: 11, want: journey.Outcome{Port: "1", Seq: 6}},
		"Since does not bind the goal":            {state: since, events: []audience.Event{event(6, "Paid", 9)}, hours: 11, want: journey.Outcome{Goal: true, Seq: 6}},
		"an event at the deadline still counts":   {state: listen, events: []audience.Event{event(6, "Made", 48)}, hours: 50, want: journey.Outcome{Port: "1", Seq: 6}},
		"after the deadline: the deadline first":  {state: listen, events: []audience.Event{event(6, "Made", 48.1)}, hours: 50, want: journey.Outcome{Port: "timeout", At: after(48 * time.Hour)}},
		"a late goal: the deadline first":         {state: listen, events: []audience.Event{event(6, "Paid", 49)}, hours: 50, want: journey.Outcome{Port: "timeout", At: after(48 * time.Hour)}},
		"the event proves that the time is over":  {state: listen, events: []audience.Event{event(6, "Paid", 49)}, hours: 47, want: journey.Outcome{Port: "timeout", At: after(48 * time.Hour)}},
		"a handoff's outcome":                     {state: handoff, handoff: won, hours: 1, want: journey.Outcome{Port: "won"}},
		"a handoff's outcome before its deadline": {state: handoff, handoff: won, hours: 200, want: journey.Outcome{Port: "won"}},
		"a goal before the handoff's outcome":     {state: handoff, handoff: won, events: []audience.Event{event(6, "Paid", 1)}, hours: 2, want: journey.Outcome{Goal: true, Seq: 6}},
		"no handoff, no outcome of one":           {state: listen, handoff: won, hours: 1},
		"not parked":                              {state: journey.State{Step: "hello"}, events: []audience.Event{event(6, "Paid", 1)}, hours: 1},
	} {
		if row.holds == nil {
			row.holds = yes()
		}
		got, ok, err := plan.Resolve(row.state, row.events, row.holds, row.handoff, start.Add(time.Duration(row.hours)*time.Hour))
		require.NoError(t, err, name)
		require.Equal(t, row.want, got, name)
		require.Equal(t, row.want != journey.Outcome{}, ok, name)
	}
	lost := errors.New("connection lost")
	_, ok, err := plan.Resolve(listen, []audience.Event{event(6, "Made", 1)}, func(string, audience.Event) (bool, error) { return false, lost }, nil, start)
	require.ErrorIs(t, err, lost)
	require.False(t, ok)
}

func TestEnded(t *testing.T) {
	t.Parallel()
	_, plan := mustPlan(t, walk)
	never := func(string, audience.Event) (bool, error) { return false, nil }
	s := journey.State{Step: "hello", Seq: 5}
	o, ok, err := plan.Ended(s, []audience.Event{event(5, "Paid", 1), event(6, "Made", 1), event(7, "Left", 1), event(8, "Closed", 2)}, never)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, journey.Outcome{Exit: true, Seq: 8}, o)
	_, ok, err = plan.Ended(s, []audience.Event{event(6, "Made", 1)}, never)
	require.NoError(t, err)
	require.False(t, ok)
}

func TestInterests(t *testing.T) {
	t.Parallel()
	_, plan := mustPlan(t, string(mustRead(t, "testdata/valid/all_kinds.yaml")))
	always := []string{"Account Closed", "Plan Changed", "Subscription Started"}
	with := func(names ...string) []string {
		all := append(slices.Clone(always), names...)
		slices.Sort(all)
		return all
	}
	require.Equal(t, with("Came Back", "Project Created"), plan.Interests(journey.State{Step: "welcome"}))
	require.Equal(t, with("Project Created"), plan.Interests(journey.State{Step: "activated", Park: &journey.Park{}}))
	require.Equal(t, always, plan.Interests(journey.State{Step: "pause", Park: &journey.Park{}}))
	require.Empty(t, plan.Interests(journey.State{Step: "pause", End: &journey.End{}}))
}

func TestVariant(t *testing.T) {
	t.Parallel()
	weights := []int{45, 45, 10}
	counts := make([]int, 3)
	for i := range 10_000 {
		contact := fmt.Sprintf("contact-%d", i)
		v := journey.Variant("trial", "nudge", contact, weights)
		require.Equal(t, v, journey.Variant("trial", "nudge", contact, weights))
		counts[v]++
	}
	require.InDelta(t, 4500, counts[0], 200)
	require.InDelta(t, 4500, counts[1], 200)
	require.InDelta(t, 1000, counts[2], 150)
	require.Zero(t, journey.Variant("a", "b", "c", nil))
	require.Equal(t, 1, journey.Variant("a", "b", "c", []int{0, 5, -3}))
	// Production and reports rely on these: a change moves people between the arms of running experiments.
	require.Equal(t, []int{1, 0, 0}, []int{
		journey.Variant("trial-to-paid", "nudge", "ana", weights),
		journey.Variant("trial-to-paid", "nudge", "ben", weights),
		journey.Variant("win-back", "offer", "ana", []int{1, 1}),
	})
}

func TestEnterAllowed(t *testing.T) {
	t.Parallel()
	ended := &journey.Enrollment{State: journey.Completed, EnteredAt: start, EndedAt: after(time.Hour)}
	days := journey.Reenter{Policy: journey.ReenterAfter, After: 24 * time.Hour}
	for name, row := range map[string]struct {
		rule   journey.Reenter
		last   *journey.Enrollment
		hours  float64
		reason string
	}{
		"the first time":         {journey.Reenter{}, nil, 0, ""},
		"never by default":       {journey.Reenter{}, ended, 9999, journey.NotEnteredBefore},
		"never":                  {journey.Reenter{Policy: journey.ReenterNever}, ended, 9999, journey.NotEnteredBefore},
		"always":                 {journey.Reenter{Policy: journey.ReenterAlways}, ended, 1, ""},
		"always, but still in":   {journey.Reenter{Policy: journey.ReenterAlways}, &journey.Enrollment{State: journey.Waiting}, 1, journey.NotEnteredActive},
		"too soon after the end": {days, ended, 24.9, journey.NotEnteredSoon},
		"long enough ago":        {days, ended, 25, ""},
	} {
		ok, reason := journey.EnterAllowed(row.rule, row.last, start.Add(time.Duration(row.hours*float64(time.Hour))))
		require.Equal(t, row.reason, reason, name)
		require.Equal(t, reason == "", ok, name)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(walk))
	f.Add([]byte(`{"journey":"x","steps":[{"id":"a","exit":{}}]}`))
	f.Add([]byte(`"journey: x"`))
	f.Add([]byte("journey: x\nsteps: [{id: a, wait_for: [{event: A, go: a}, {forever: true}]}]"))
	f.Add(mustRead(f, "testdata/valid/all_kinds.yaml"))
	f.Add(mustRead(f, "testdata/invalid/fields.yaml"))
	f.Add(mustRead(f, "testdata/invalid/arms.yaml"))
	f.Fuzz(func(t *testing.T, data []byte) {
		stored, _ := journey.ToJSON(data)
		if stored != nil {
			require.True(t, json.Valid(stored))
		}
		def, problems := journey.Check(data, journey.Known{})
		require.NotNil(t, def)
		if fault.HasErrors(problems) {
			return
		}
		plan, err := journey.Compile(def)
		require.NoError(t, err)
		require.Equal(t, journey.Hash(stored), plan.Hash)
		formatted, err := journey.Format(def)
		require.NoError(t, err)
		_, problems = journey.Check(formatted, journey.Known{})
		require.False(t, fault.HasErrors(problems), "%s\n%+v", formatted, problems)
		plan.Start(1, start)
	})
}

func FuzzNext(f *testing.F) {
	f.Add(`{"step":"hello","visits":{"hello":1},"seq":3}`, `{"port":"next"}`)
	f.Add(`{"step":"sales","park":{"handoff":true}}`, `{"port":"won","seq":4}`)
	f.Add(`{"step":"gone","hops":5000}`, `{"goal":true,"at":"2026-01-01T00:00:00Z"}`)
	f.Add(`{"end":{"state":"failed"}}`, `{}`)
	_, plan := mustPlan(f, walk)
	f.Fuzz(func(t *testing.T, state, outcome string) {
		var s journey.State
		var o journey.Outcome
		if json.Unmarshal([]byte(state), &s) != nil || json.Unmarshal([]byte(outcome), &o) != nil {
			return
		}
		before, _ := json.Marshal(s)
		next, command := plan.Next(s, o, start)
		forms := 0
		for _, form := range []bool{command.Perform, command.Park != nil, command.End != nil} {
			if form {
				forms++
			}
		}
		require.Equal(t, 1, forms)
		require.Equal(t, command.Park, next.Park)
		require.Equal(t, command.End, next.End)
		unchanged, _ := json.Marshal(s)
		require.Equal(t, string(before), string(unchanged))
		_, _, err := plan.Resolve(next, []audience.Event{event(1, "Made", 1), event(2, "Paid", 2)},
			func(string, audience.Event) (bool, error) { return true, nil }, nil, start)
		require.NoError(t, err)
	})
}

package journey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// drive runs a plan over events: all that is known at each of the given times is resolved, effects leave by a port that a hash chooses.
func drive(t require.TestingT, plan *journey.Plan, events []audience.Event, looks []time.Time) []string {
	s, _ := plan.Start(0, start)
	var path []string
	perform := func(now time.Time) {
		for s.Park == nil && s.End == nil {
			step := plan.Steps[s.Step]
			ports := []string{"parked"}
			if step.Kind != journey.KindHandoff {
				ports = ports[:0]
				for port := range step.Ports {
					ports = append(ports, port)
				}
				slices.Sort(ports)
			}
			port := ports[(len(s.Step)+s.Visit())%len(ports)]
			path = append(path, fmt.Sprintf("%s:%s", s.Step, port))
			s, _ = plan.Next(s, journey.Outcome{Port: port}, now)
		}
	}
	perform(start)
	for _, now := range looks {
		var seen []audience.Event
		for _, e := range events {
			if !e.ReceivedAt.After(now) {
				seen = append(seen, e)
			}
		}
		for {
			// The clock of the decision is when it could have been made first: the deadline, or the event.
			o, ok, err := plan.Resolve(s, seen, func(_ string, e audience.Event) (bool, error) { return e.Seq%2 == 0, nil }, nil, now)
			require.NoError(t, err)
			if !ok {
				break
			}
			at := now
			if o.At != nil {
				at = *o.At
			}
			for _, e := range seen {
				if e.Seq == o.Seq {
					at = e.ReceivedAt
				}
			}
			path = append(path, fmt.Sprintf("%s:%s goal=%t exit=%t seq=%d", s.Step, o.Port, o.Goal, o.Exit, o.Seq))
			s, _ = plan.Next(s, o, at)
			perform(at)
		}
	}
	return append(path, fmt.Sprintf("%s %v", s.Step, s.End))
}

// Looking at every event as it comes, and looking once, late, at all of them, must take the same way.
func TestResolveEventByEventEqualsAllAtOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, plan := mustPlanRapid(t, drawDefinition(t))
		names := append(plan.Interests(journey.State{}), "Other")
		var events []audience.Event
		var looks []time.Time
		at := start
		for i := range rapid.IntRange(0, 12).Draw(t, "events") {
			at = at.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "hours")) * time.Hour)
			events = append(events, audience.Event{Seq: int64(i + 1), Name: rapid.SampledFrom(names).Draw(t, "name"), ReceivedAt: at})
			looks = append(looks, at)
		}
		end := at.Add(24 * 365 * time.Hour)
		require.Equal(t, drive(t, plan, events, append(looks, end)), drive(t, plan, events, []time.Time{end}))
	})
}

// drawDefinition draws a valid definition: every step is reachable, because it leads to the next one, and nothing loops without a pause.
func drawDefinition(t *rapid.T) string {
	n := rapid.IntRange(1, 12).Draw(t, "steps")
	var b strings.Builder
	b.WriteString("journey: drawn\nenter: [{event: E0}]\n")
	if rapid.Bool().Draw(t, "goal") {
		b.WriteString("goal: [{event: G, when: event.x == 1}]\nexit: {event: X}\n")
	}
	b.WriteString("steps:\n")
	for i := range n {
		follow := fmt.Sprintf("s%d", i+1)
		forward := fmt.Sprintf("s%d", rapid.IntRange(i+1, n).Draw(t, "forward"))
		anywhere := fmt.Sprintf("s%d", rapid.IntRange(0, n).Draw(t, "anywhere"))
		e := rapid.IntRange(0, 3).Draw(t, "event")
		fmt.Fprintf(&b, "  - id: s%d\n    ", i)
		switch rapid.IntRange(0, 8).Draw(t, "kind") {
		case 0:
			b.WriteString("send: {template: hello}\n")
		case 1:
			fmt.Fprintf(&b, "wait: %dh\n    next: %s\n", rapid.IntRange(1, 50).Draw(t, "h"), follow)
		case 2:
			fmt.Fprintf(&b, "wait_for: [{event: E%d, when: event.x > 1, go: %s}, {event: E%d, go: %s}, {after: 1d12h, go: %s}]\n", e, anywhere, (e+1)%4, forward, follow)
		case 3:
			fmt.Fprintf(&b, "branch: [{when: score > %d, go: %s}, {else: true, go: %s}]\n", e, forward, follow)
		case 4:
			fmt.Fprintf(&b, "split: [{weight: %d, go: %s}, {weight: 2, holdout: true, go: %s}]\n", e+1, forward, follow)
		case 5:
			fmt.Fprintf(&b, "update: {set: {a: %d, b: null}, increment: {n: 0.5}}\n", e)
		case 6:
			fmt.Fprintf(&b, "score: {add: %d, reason: \"because: %d\"}\n", e-5, e)
		case 7:
			fmt.Fprintf(&b, "handoff: {why: now, won: %s, lost: %s, rejected: %s, expires: {after: 2w, go: %s}}\n", follow, anywhere, forward, follow)
		case 8:
			b.WriteString("webhook: {url: \"https://example.com/hook\", event: e}\n")
		}
	}
	fmt.Fprintf(&b, "  - {id: s%d, exit: finished}\n", n)
	return b.String()
}

func mustPlanRapid(t require.TestingT, source string) (*journey.Definition, *journey.Plan) {
	def, problems := journey.Check([]byte(source), journey.Known{})
	require.False(t, fault.HasErrors(problems), "%s\n%+v", source, problems)
	plan, err := journey.Compile(def)
	require.NoError(t, err, source)
	return def, plan
}

// Any valid definition compiles, and any walk through it ends or waits, whatever the outcomes are.
func TestEveryWalkEndsOrWaits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		_, plan := mustPlanRapid(t, drawDefinition(t))
		s, command := plan.Start(0, start)
		now := start
		for range 200 {
			if command.End != nil {
				require.NotEqual(t, journey.Failed, command.End.State)
				return
			}
			require.True(t, command.Perform != (command.Park != nil))
			require.Less(t, s.Hops, 50)
			var ports []string
			for port := range plan.Steps[s.Step].Ports {
				ports = append(ports, port)
			}
			slices.Sort(ports)
			o := journey.Outcome{Port: rapid.SampledFrom(ports).Draw(t, "port")}
			if command.Perform && plan.Steps[s.Step].Kind == journey.KindHandoff {
				o = journey.Outcome{Port: journey.PortParked}
			}
			now = now.Add(time.Hour)
			s, command = plan.Next(s, o, now)
		}
	})
}

// What Format writes is read as the same definition, and written the same again.
func TestParseFormatStable(t *testing.T) {
	t.Parallel()
	check := func(t require.TestingT, source string) {
		def, problems := journey.Parse([]byte(source))
		require.Empty(t, problems)
		first, err := journey.Format(def)
		require.NoError(t, err)
		again, problems := journey.Parse(first)
		require.Empty(t, problems, string(first))
		second, err := journey.Format(again)
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
		planA, err := journey.Compile(def)
		require.NoError(t, err)
		planB, err := journey.Compile(again)
		require.NoError(t, err)
		planA.Hash, planB.Hash = "", ""
		for i := range planA.Goal { // the short form of one match becomes a list
			planA.Goal[i].Pointer, planB.Goal[i].Pointer = "", ""
		}
		for i := range planA.Exit {
			planA.Exit[i].Pointer, planB.Exit[i].Pointer = "", ""
		}
		require.Equal(t, planA, planB)
	}
	check(t, string(mustRead(t, "testdata/valid/all_kinds.yaml")))
	rapid.Check(t, func(t *rapid.T) { check(t, drawDefinition(t)) })
}

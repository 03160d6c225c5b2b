package journey_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

func simulate(t require.TestingT, source, lines string, opts journey.SimOptions) journey.Trace {
	def, problems := journey.Check([]byte(source), journey.Known{})
	require.False(t, fault.HasErrors(problems), "%+v", problems)
	events, problems := journey.DecodeSimEvents(strings.NewReader(lines))
	require.Empty(t, problems)
	trace, err := journey.Simulate(def, events, opts)
	require.NoError(t, err)
	return trace
}

func line(at, user, event string) string {
	return fmt.Sprintf(`{"at":%q,"user":%q,"type":"track","event":%q}`+"\n", at, user, event)
}

const day0 = "2026-01-05T09:00:00Z"

func TestSimulatePaths(t *testing.T) {
	t.Parallel()
	const waiting = "journey: x\nenter: {event: In}\ngoal: {event: Won}\nsteps:\n" +
		"  - {id: pause, wait: 1d}\n" +
		"  - {id: listen, wait_for: [{event: E, go: done}, {after: 2d, go: late}]}\n" +
		"  - {id: late, exit: late}\n  - {id: done, exit: done}\n"
	for name, row := range map[string]struct {
		lines string
		want  string
	}{
		"time runs on after the last line":         {line(day0, "a", "In"), "pause:next listen:timeout"},
		"an event at the deadline still counts":    {line(day0, "a", "In") + line("+3d", "a", "E"), "pause:next listen:0"},
		"an event after the deadline is too late":  {line(day0, "a", "In") + line("+3d", "a", "x") + line("+1s", "a", "E"), "pause:next listen:timeout"},
		"an event during a wait is not for arms":   {line(day0, "a", "In") + line("+2h", "a", "E"), "pause:next listen:timeout"},
		"a goal counts during a wait":              {line(day0, "a", "In") + line("+2h", "a", "Won"), "pause:goal"},
		"a goal at the end of a wait counts first": {line(day0, "a", "In") + line("+1d", "a", "Won"), "pause:goal"},
		"a goal after the end of the wait":         {line(day0, "a", "In") + line("+25h", "a", "Won"), "pause:next listen:goal"},
		"the lines are sorted by time":             {line("2026-01-07T09:00:00Z", "a", "E") + line(day0, "a", "In"), "pause:next listen:0"},
	} {
		trace := simulate(t, waiting, row.lines, journey.SimOptions{})
		require.Equal(t, row.want, strings.Join(trace.Path("a"), " "), name)
	}
	require.Nil(t, simulate(t, waiting, line(day0, "a", "In"), journey.SimOptions{}).Path("nobody"))
}

func TestSimulateReentry(t *testing.T) {
	t.Parallel()
	source := func(rule string) string {
		return "journey: x\nenter: {event: In, when: 'count(\"In\") < 9'}\nreenter: " + rule + "\nsteps:\n  - {id: pause, wait: 2d}\n  - {id: done, exit: done}\n"
	}
	lines := line(day0, "a", "In") + line("+1d", "a", "In") + line("+2d", "a", "In") + line("+30d", "a", "In")
	count := func(rule string) (entered int, refused []string) {
		for _, s := range simulate(t, source(rule), lines, journey.SimOptions{}).Contacts[0].Steps {
			switch s.Kind {
			case journey.TraceEntered:
				entered++
			case journey.TraceNotEntered:
				refused = append(refused, s.Outcome)
			}
		}
		return entered, refused
	}
	entered, refused := count("never")
	require.Equal(t, 1, entered)
	require.Equal(t, []string{journey.NotEnteredActive, journey.NotEnteredBefore, journey.NotEnteredBefore}, refused)
	entered, refused = count("always")
	require.Equal(t, 3, entered)
	require.Equal(t, []string{journey.NotEnteredActive}, refused)
	entered, refused = count("after 7d")
	require.Equal(t, 2, entered)
	require.Equal(t, []string{journey.NotEnteredActive, journey.NotEnteredSoon}, refused)
}

func TestSimulateEffects(t *testing.T) {
	t.Parallel()
	source := `
journey: x
enter: {event: In}
steps:
  - id: mail
    send: {template: hello}
  - id: points
    score: {add: 7}
  - id: change
    update: {set: {email: ana@example.test, plan: null}, increment: {n: 2}}
  - id: mail_again
    send: {template: hello}
  - id: fit
    branch:
      - {when: contact.plan == "trial", go: wrong}
      - {when: 'contact.n == 3 && score == 7 && in_segment("eu") && persona == "founder" && company.size > 5 && event.kind == "x"', go: sales}
      - {else: true, go: wrong}
  - id: wrong
    exit: wrong
  - id: sales
    handoff: {why: now, won: paid, lost: wrong, rejected: wrong}
  - id: paid
    branch:
      - {when: stage == "customer" && last("In") < now, go: right}
      - {else: true, go: wrong}
  - id: right
    exit: right
`
	lines := `{"at":"2026-01-05T09:00:00Z","user":"ana","type":"identify","traits":{"plan":"trial","n":1}}
# a comment, and an empty line

{"at":"+1m","user":"ana","type":"handoff","outcome":"won"}
{"at":"+1m","user":"ana","type":"track","event":"In","properties":{"kind":"x"}}
{"at":"+1d","user":"ana","type":"handoff","outcome":"won","amount":10}
`
	trace := simulate(t, source, lines, journey.SimOptions{
		ContactID:  func(user string) string { return "id-" + user },
		InSegment:  func(key string, c audience.Contact) bool { return key == "eu" && c.ID == "id-ana" },
		Persona:    func(audience.Contact) string { return "founder" },
		Company:    func(audience.Contact) map[string]any { return map[string]any{"size": 6.0} },
		StageAfter: func(outcome string) string { return map[string]string{"won": "customer"}[outcome] },
	})
	c := trace.Contacts[0]
	require.Equal(t, "mail:next points:next change:next mail_again:next fit:1 sales:won paid:0", strings.Join(trace.Path("ana"), " "))
	require.Equal(t, []string{"id-ana", "completed", "right", "right"}, []string{c.ContactID, c.State, c.Reason, c.At})
	require.Equal(t, journey.TraceIgnored, c.Steps[0].Kind, "a handoff that is not open")
	require.Equal(t, "skipped: no address", c.Steps[2].Note)
	require.Equal(t, "template hello", c.Steps[5].Note)
}

func TestSimulateEnds(t *testing.T) {
	t.Parallel()
	circle := "journey: x\nenter: {event: In}\nsteps:\n  - {id: a, wait: 1d}\n  - {id: b, wait: 1s, next: a}\n"
	c := simulate(t, circle, line(day0, "a", "In"), journey.SimOptions{Horizon: 10 * 24 * time.Hour}).Contacts[0]
	require.Equal(t, "waiting", c.State)
	require.Len(t, c.Steps, 1+18, "nine rounds until the horizon")
	tight := "journey: x\nenter: {event: In}\nsteps:\n  - {id: a, wait: 1s}\n  - {id: b, wait: 1s, next: a}\n"
	require.LessOrEqual(t, len(simulate(t, tight, line(day0, "a", "In"), journey.SimOptions{}).Contacts[0].Steps), 10_000)
	forever := "journey: x\nenter: {event: In}\nsteps:\n  - {id: a, wait_for: [{event: E, go: b}, {forever: true}]}\n  - {id: b, exit: x}\n"
	c = simulate(t, forever, line(day0, "a", "In")+line(day0, "b", "Other"), journey.SimOptions{}).Contacts[0]
	require.Equal(t, []string{"waiting", "a"}, []string{c.State, c.At})
	require.Equal(t, journey.NeverEntered, simulate(t, forever, line(day0, "b", "Other"), journey.SimOptions{}).Contacts[0].State)
	require.Empty(t, simulate(t, forever, "", journey.SimOptions{}).Contacts)
	_, err := journey.Simulate(&journey.Definition{}, nil, journey.SimOptions{})
	require.Error(t, err)
}

func TestDecodeSimEventsProblems(t *testing.T) {
	t.Parallel()
	lines := []string{
		`{"at":"+1d","user":"a","type":"track","event":"E"}`,
		`{"at":"2026-01-05T09:00:00Z","user":"a","type":"track","event":"E"}`,
		`{"at":"+1 day","user":"a","type":"track","event":"E"}`,
		`{"at":"+1d","type":"track","event":"E"}`,
		`{"at":"+1d","user":"a","type":"track"}`,
		`{"at":"+1d","user":"a","type":"page"}`,
		`{"at":"+1d","user":"a","type":"handoff","outcome":"expired"}`,
		`{"at":"+1d","user":"a","type":"track","event":"E","evnt":1}`,
		`not json`,
		`{"at":"+1d","user":"a","type":"identify"} {}`,
	}
	events, problems := journey.DecodeSimEvents(strings.NewReader(strings.Join(lines, "\n")))
	require.Len(t, events, 1)
	require.Equal(t, 2, events[0].Line)
	var codes []string
	for _, p := range problems {
		codes = append(codes, p.Path+" "+p.Code)
		require.Regexp(t, `^Line \d+: .*\.$`, p.Message)
	}
	require.Equal(t, []string{
		"/0 bad_time", "/2 bad_time", "/3 missing_field", "/4 missing_field", "/5 wrong_type", "/6 wrong_type", "/7 syntax", "/8 syntax", "/9 syntax",
	}, codes)
	_, problems = journey.DecodeSimEvents(strings.NewReader(lines[1] + "\n" + strings.Repeat("x", 100_000)))
	require.Equal(t, "too_large", problems[0].Code)
	require.Equal(t, "/1", problems[0].Path)
}

// A simulation depends on its input alone, users don't influence each other, and no valid definition fails anybody.
func TestSimulateProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		source := drawDefinition(t)
		users := []string{"ana", "ben", "cleo"}
		all, alone := "", map[string]string{}
		hours := 0
		for range rapid.IntRange(1, 15).Draw(t, "lines") {
			hours += rapid.IntRange(0, 60).Draw(t, "hours")
			at := start.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339)
			user := rapid.SampledFrom(users).Draw(t, "user")
			l := line(at, user, rapid.SampledFrom([]string{"E0", "E1", "E2", "E3", "X", "G"}).Draw(t, "event"))
			if rapid.IntRange(0, 5).Draw(t, "sales") == 0 {
				l = fmt.Sprintf(`{"at":%q,"user":%q,"type":"handoff","outcome":%q}`+"\n", at, user, rapid.SampledFrom([]string{"won", "lost", "rejected"}).Draw(t, "outcome"))
			}
			all += l
			alone[user] += l
		}
		opts := journey.SimOptions{Horizon: 60 * 24 * time.Hour}
		trace := simulate(t, source, all, opts)
		require.Equal(t, trace, simulate(t, source, all, opts))
		for user, lines := range alone {
			for _, s := range simulate(t, source, lines, opts).Contacts[0].Steps {
				require.NotEqual(t, string(journey.Failed), s.Outcome)
				require.NotEqual(t, journey.PortParked, s.Outcome)
			}
			path := simulate(t, source, lines, opts).Path(user)
			whole := trace.Path(user)
			// Alone, the clock stops earlier: what was walked by then is the same.
			require.LessOrEqual(t, len(path), len(whole))
			require.Equal(t, path, whole[:len(path)])
		}
	})
}

func FuzzDecodeSimEvents(f *testing.F) {
	f.Add(line(day0, "a", "In") + line("+1d", "a", "E"))
	f.Add(`{"at":"2026-01-05T09:00:00Z","user":"a","type":"identify","traits":{"n":1}}`)
	f.Add("# x\n\n{\"at\":\"+1d\"}")
	_, plan := mustPlan(f, walk)
	require.NotNil(f, plan)
	def, _ := journey.Parse([]byte(walk))
	f.Fuzz(func(t *testing.T, input string) {
		events, _ := journey.DecodeSimEvents(strings.NewReader(input))
		if len(events) > 20 {
			return
		}
		trace, err := journey.Simulate(def, events, journey.SimOptions{Horizon: 24 * time.Hour})
		require.NoError(t, err)
		require.NoError(t, journey.WriteText(&strings.Builder{}, trace))
	})
}

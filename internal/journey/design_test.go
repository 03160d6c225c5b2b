package journey

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const mailed = `journey: compared
enter: [{event: Signed Up}]
goal: {event: Bought}
steps:
  - id: hello
    send: {template: hello}
  - id: nudge
    split:
      - {name: short, weight: 50, go: offer}
      - {name: long, weight: 50, go: done}
    experiment: {within: 14d, winner: automatic}
  - id: offer
    send: {template: offer, holdout: {percent: 10}}
  - id: done
    exit: {}
`

func planned(t require.TestingT, document string) []Planned {
	definition, problems := Check([]byte(document), Known{})
	require.Empty(t, problems)
	return definition.Experiments()
}

// Edits of other steps, and of how an experiment is run, leave it the one that it is; edits of what is compared, or by what, begin another.
func TestAnExperimentSurvivesEditsOfOtherSteps(t *testing.T) {
	t.Parallel()
	before := planned(t, mailed)
	require.Len(t, before, 2)
	for _, edit := range [][2]string{
		{"template: hello", "template: welcome"}, {"send: {template: hello}", "wait: 2d"}, {"winner: automatic", "winner: by_hand"},
		{"winner: automatic", "mode: thompson, floor: 10"}, {"exit: {}", "exit: over"}, {"enter: [{event: Signed Up}]", "enter: [{event: Other}]"},
	} {
		after := planned(t, strings.Replace(mailed, edit[0], edit[1], 1))
		require.Equal(t, before[0].ID(), after[0].ID(), "%v", edit)
		require.Equal(t, before[1].ID(), after[1].ID(), "%v", edit)
	}
	for _, edit := range [][2]string{
		{"weight: 50", "weight: 60"}, {"name: short", "name: brief"}, {"go: done", "go: offer"}, {"goal: {event: Bought}", "goal: {event: Paid}"},
		{"within: 14d", "within: 7d"}, {"within: 14d", "goal: {event: Bought}"}, {"goal: {event: Bought}", "goal: {event: Bought, when: event.n > 1}"},
	} {
		after := planned(t, strings.Replace(mailed, edit[0], edit[1], 1))
		require.NotEqual(t, before[0].ID(), after[0].ID(), "%v", edit)
	}
	require.NotEqual(t, before[1].ID(), planned(t, strings.Replace(mailed, "percent: 10", "percent: 20", 1))[1].ID())
}

// Whatever has been drawn or has won: who got an arm keeps it, a winner is what all others get, and chance gives the same answer each time.
func TestArmsAreSticky(t *testing.T) {
	t.Parallel()
	split := planned(t, mailed)[0]
	split.Thompson = true
	rapid.Check(t, func(t *rapid.T) {
		contact := rapid.StringMatching(`[0-9a-f]{8}`).Draw(t, "contact")
		draws := rapid.SliceOfN(rapid.IntRange(0, million), 1, 5).Draw(t, "draws")
		var had *Assigned
		for number, weight := range draws {
			standing := Standing{Draw: &Draw{Number: number + 1, Weights: []int{weight, million - weight}}}
			if rapid.Bool().Draw(t, "won") {
				standing.Winner = &ExperimentWinner{Port: "1", By: "ana"}
			}
			first, again := split.Assign(contact, standing, nil), split.Assign(contact, standing, nil)
			require.Equal(t, first, again)
			require.Equal(t, standing.Winner == nil, first.Counted, "only chance is counted")
			if standing.Winner != nil {
				require.Equal(t, 1, first.Arm)
				require.Equal(t, WhyWinner, first.Detail["why"])
			} else {
				require.Equal(t, number+1, first.Draw)
				require.Equal(t, weight == million, first.Arm == 0 && weight == million)
			}
			if had != nil {
				kept := split.Assign(contact, standing, had)
				require.Equal(t, []any{had.Arm, true, false}, []any{kept.Arm, kept.Kept, kept.Counted})
			}
			had = &Assigned{Arm: first.Arm}
		}
	})
}

// The weights that are drawn are a whole, no arm is below its floor, and the same counts give the same draw.
func TestDrawsKeepTheFloor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		split := planned(t, mailed)[0]
		split.Thompson, split.Floor = true, rapid.IntRange(1, 50).Draw(t, "floor")
		counts := make([]ArmCount, 2)
		for i := range counts {
			counts[i].Entered = rapid.Int64Range(5, 100_000).Draw(t, "entered")
			counts[i].Converted = rapid.Int64Range(0, counts[i].Entered).Draw(t, "converted")
		}
		draw := split.NextDraw(counts, nil, time.Time{})
		require.NotNil(t, draw)
		require.Equal(t, draw, split.NextDraw(counts, nil, time.Time{}))
		sum := 0
		for _, weight := range draw.Weights {
			require.GreaterOrEqual(t, weight, split.Floor*million/100-1)
			sum += weight
		}
		require.InDelta(t, million, sum, 2)
		require.Nil(t, split.NextDraw(counts, draw, time.Time{}), "nothing has come since")
	})
}

// However often is looked, an experiment is drawn some hundreds of times.
func TestDrawsAreFew(t *testing.T) {
	t.Parallel()
	split := planned(t, mailed)[0]
	split.Thompson = true
	var last *Draw
	counts := make([]ArmCount, 2)
	for counts[0].Entered < 30_000 {
		counts[0].Entered++
		counts[1].Entered++
		if draw := split.NextDraw(counts, last, time.Time{}); draw != nil {
			last = &Draw{Number: draw.Number, Arms: append([]ArmCount{}, counts...)}
		}
	}
	require.Less(t, last.Number, 250)
	require.Greater(t, last.Number, 50)
}

// Contacts that were given their arm by other weights are expected by those.
func TestTheRatioKnowsWhatWasDrawn(t *testing.T) {
	t.Parallel()
	split := planned(t, mailed)[0]
	tallies := []ArmTally{{Arm: 0, Entered: 500}, {Arm: 1, Entered: 500}, {Arm: 0, Draw: 1, Entered: 900, Converted: 90}, {Arm: 1, Draw: 1, Entered: 100, Converted: 5}, {Arm: 7, Draw: 1, Entered: 9}}
	counts := split.CountArms(tallies, []Draw{{Number: 1, Weights: []int{900_000, 100_000}}})
	require.Equal(t, []ArmCount{{Entered: 1400, Converted: 90, Expected: 1400}, {Entered: 600, Converted: 5, Expected: 600}}, counts)
	require.False(t, ExperimentRecord{Planned: split, Counts: counts}.Show().Ratio.Alarmed)
	require.True(t, ExperimentRecord{Planned: split, Counts: split.CountArms(tallies, nil)}.Show().Ratio.Alarmed)
}

func TestOnlyAnAutomaticSplitIsDecidedByItself(t *testing.T) {
	t.Parallel()
	all := planned(t, mailed)
	clear := []ArmCount{{Entered: 4000, Converted: 400}, {Entered: 4000, Converted: 800}}
	require.Equal(t, 1, all[0].Decide(clear))
	require.Equal(t, -1, all[0].Decide([]ArmCount{{Entered: 499, Converted: 10}, {Entered: 500, Converted: 300}}), "too few")
	all[0].Automatic = false
	require.Equal(t, -1, all[0].Decide(clear))
	all[1].Automatic = true
	require.Equal(t, -1, all[1].Decide([]ArmCount{{Entered: 9000, Converted: 900}, {Entered: 1000, Converted: 10}}), "a holdout goes on")
}

func TestExperimentProblems(t *testing.T) {
	t.Parallel()
	for edit, want := range map[[2]string]string{
		{"goal: {event: Bought}\n", ""}:                                            "/steps/1/experiment no_goal",
		{"winner: automatic", "floor: 10"}:                                         "/steps/1/experiment/floor floor",
		{"winner: automatic", "mode: thompson, floor: 51"}:                         "/steps/1/experiment/floor floor",
		{"winner: automatic", "winner: later"}:                                     "/steps/1/experiment/winner wrong_type",
		{"winner: automatic", "goal: {event: Bought, when: \"event.\"}"}:           "/steps/1/experiment/goal/when condition_syntax",
		{"winner: automatic", "goal: [{event: Bought}, {}]"}:                       "/steps/1/experiment/goal/1 missing_field",
		{"winner: automatic", "goal: {segment: none}"}:                             "/steps/1/experiment/goal/segment unknown_segment",
		{"within: 14d", "within: 14"}:                                              "/steps/1/experiment/within bad_duration",
		{"percent: 10", "percent: 51"}:                                             "/steps/2/send/holdout/percent holdout",
		{"{percent: 10}", "{percent: 10}, class: transactional"}:                   "/steps/2/send/holdout holdout",
		{"{percent: 10}", "{goal: {event: Bought}}"}:                               "/steps/2/send/holdout missing_field",
		{"{percent: 10}", "{percent: 10, goal: {event: Bought, whem: \"1\"}}"}:     "/steps/2/send/holdout/goal/whem unknown_field",
		{"send: {template: hello}", "send: {template: hello}\n    experiment: {}"}: "/steps/0/experiment unknown_field",
	} {
		require.Contains(t, mailed, edit[0])
		_, problems := Check([]byte(strings.Replace(mailed, edit[0], edit[1], 1)), Known{Segments: func(string) bool { return false }})
		found := []string{}
		for _, p := range problems {
			found = append(found, p.Path+" "+p.Code)
		}
		require.Contains(t, found, want, "%v", edit)
	}
}

// The simulator gives arms as production does: sticky, by the winner when there is one, and a withheld mail is none.
func TestSimulatedExperiments(t *testing.T) {
	t.Parallel()
	document := strings.NewReplacer("goal: {event: Bought}\n", "goal: {event: Bought}\nreenter: always\n", "percent: 10", "percent: 40").Replace(mailed)
	definition, problems := Check([]byte(document), Known{})
	require.Empty(t, problems)
	lines := ""
	for i := range 40 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		lines += `{"at":"2026-01-05T09:00:00Z","user":"` + name + `","type":"identify","traits":{"email":"a@example.com"}}` + "\n"
		for _, at := range []string{"2026-01-05T10:00:00Z", "2026-01-06T10:00:00Z"} {
			lines += `{"at":"` + at + `","user":"` + name + `","type":"track","event":"Signed Up"}` + "\n"
		}
	}
	events, problems := DecodeSimEvents(strings.NewReader(lines))
	require.Empty(t, problems)
	notes := func(opts SimOptions) map[string]int {
		trace, err := Simulate(definition, events, opts)
		require.NoError(t, err)
		out := map[string]int{}
		for _, c := range trace.Contacts {
			for _, s := range c.Steps {
				if s.Kind == string(KindSplit) || s.Step == "offer" {
					out[s.Note]++
				}
			}
		}
		return out
	}
	found := notes(SimOptions{})
	require.Equal(t, 40, found["short"]+found["long"])
	require.Equal(t, found["short"], found["short, as before"], "the second time is as the first")
	require.Positive(t, found["withheld: holdout"])
	require.Equal(t, 2*found["short"], found["withheld: holdout"]+found["template offer"])
	won := notes(SimOptions{Standing: func(p Planned) Standing {
		if p.Kind == KindSplit {
			return Standing{Winner: &ExperimentWinner{Port: "1"}}
		}
		return Standing{Winner: &ExperimentWinner{Port: "0"}}
	}})
	require.Equal(t, map[string]int{"long, the winner": 40, "long, as before": 40}, won)
}

package journey_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

const segmentJourney = `journey: win-back
enter:
  - {segment: idle, when: contact.plan == "trial"}
  - {event: Signed Up}
goal: [{stage: customer}]
exit: [{left_segment: idle}]
steps:
  - id: listen
    wait_for:
      - {segment: active, go: done}
      - {left_segment: big, when: score > 3, go: done}
      - {stage: mql, go: done}
      - {event: Came Back, go: done}
      - {after: 3d, go: check}
  - id: check
    branch:
      - {when: 'in_segment("eu") || in_segment("idle")', go: done}
      - {else: true, go: done}
  - id: done
    exit: finished
`

// The words are another way to write names of events: a plan, and with it every history, knows names alone.
func TestMatchWordsCompileToEventNames(t *testing.T) {
	t.Parallel()
	def, plan := mustPlan(t, segmentJourney)
	require.Equal(t, []journey.Arm{{Event: "Stage Entered: customer", Pointer: "/goal/0"}}, plan.Goal)
	require.Equal(t, []journey.Arm{{Event: "Segment Left: idle", Pointer: "/exit/0"}}, plan.Exit)
	require.Equal(t, []journey.Arm{
		{Event: "Segment Entered: active", Pointer: "/steps/0/wait_for/0"},
		{Event: "Segment Left: big", Conditional: true, Pointer: "/steps/0/wait_for/1"},
		{Event: "Stage Entered: mql", Pointer: "/steps/0/wait_for/2"},
		{Event: "Came Back", Pointer: "/steps/0/wait_for/3"},
	}, plan.Steps["listen"].Arms)
	raw, err := json.Marshal(plan)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "left_segment")
	require.Equal(t, "Segment Entered: idle", def.Enter[0].Event)
	require.Equal(t, []string{"Came Back", "Segment Entered: active", "Segment Left: big", "Segment Left: idle", "Stage Entered: customer", "Stage Entered: mql"},
		plan.Interests(journey.State{Step: "listen", Park: &journey.Park{}}))
	require.Equal(t, []string{"active", "big", "eu", "idle"}, def.Segments())
}

func TestMatchWordsKeepTheirForm(t *testing.T) {
	t.Parallel()
	def, problems := journey.Parse([]byte(segmentJourney))
	require.Empty(t, problems)
	formatted, err := journey.Format(def)
	require.NoError(t, err)
	require.NotContains(t, string(formatted), audience.SegmentEnteredPrefix)
	for _, part := range []string{`"segment": "idle"`, `"left_segment": "idle"`, `"stage": "customer"`, `"segment": "active"`, `"left_segment": "big"`, `"event": "Came Back"`} {
		require.Contains(t, string(formatted), part)
	}
	again, problems := journey.Check(formatted, journey.Known{})
	require.Empty(t, problems)
	require.Equal(t, def.Enter, again.Enter)
	require.Equal(t, def.Steps[0].WaitFor.Arms, again.Steps[0].WaitFor.Arms)
	stored, problems := journey.ToJSON([]byte(segmentJourney))
	require.Empty(t, problems)
	require.Contains(t, string(stored), `"segment":"idle"`, "the author's document stays as it is")
}

func TestMatchWordsAreCheckedAgainstWhatThereIs(t *testing.T) {
	t.Parallel()
	_, problems := journey.Check([]byte(segmentJourney), journey.Known{})
	require.Empty(t, problems, "nothing is known, so nothing is unknown")
	keys := []string{"active", "big", "eu"}
	_, problems = journey.Check([]byte(segmentJourney), journey.Known{SegmentKeys: keys, Segments: func(key string) bool {
		return key == "active" || key == "big" || key == "eu"
	}})
	require.Equal(t, []fault.Problem{
		{Path: "/enter/0/segment", Code: "unknown_segment", Level: "error", Message: `There is no segment "idle".`},
		{Path: "/exit/0/left_segment", Code: "unknown_segment", Level: "error", Message: `There is no segment "idle".`},
		{Path: "/steps/1/branch/0/when", StepID: "check", Code: "unknown_segment", Level: "error", Message: `There is no segment "idle".`},
	}, problems)
	typo := strings.ReplaceAll(segmentJourney, "segment: active", "segment: activ")
	_, problems = journey.Check([]byte(typo), journey.Known{SegmentKeys: append(keys, "idle"), Segments: func(key string) bool { return key != "activ" }})
	require.Equal(t, []fault.Problem{{Path: "/steps/0/wait_for/0/segment", StepID: "listen", Code: "unknown_segment", Level: "error",
		Message: `There is no segment "activ". Did you mean "active"?`}}, problems)
}

// The stages stand twice, because the language must not know the package that owns them.
func TestStagesAreThoseOfSales(t *testing.T) {
	t.Parallel()
	for _, f := range journey.Kinds()[2].Fields {
		if f.Name == "stage" {
			require.Equal(t, sales.Stages(), f.Choices)
			return
		}
	}
	require.Fail(t, "a wait_for has no stage")
}

func TestSimulateSegmentsAndStages(t *testing.T) {
	t.Parallel()
	enter := `{"at":"2026-01-05T09:00:00Z","user":"a","type":"identify","traits":{"plan":"trial"}}
{"at":"+1m","user":"a","type":"segment","entered":"idle"}
`
	for name, row := range map[string]struct{ lines, want, state string }{
		"entering another": {`{"at":"+1d","user":"a","type":"segment","entered":"active"}`, "listen:0", "completed"},
		"leaving":          {`{"at":"+1d","user":"a","type":"segment","left":"idle"}`, "listen:exit", "exited"},
		"a stage":          {`{"at":"+1d","user":"a","type":"stage","stage":"mql"}`, "listen:2", "completed"},
		"the goal":         {`{"at":"+1d","user":"a","type":"stage","stage":"customer"}`, "listen:goal", "completed"},
		"membership":       {`{"at":"+9d","user":"a","type":"track","event":"Other"}`, "listen:timeout check:0", "completed"},
	} {
		trace := simulate(t, segmentJourney, enter+row.lines+"\n", journey.SimOptions{})
		require.True(t, strings.HasPrefix(strings.Join(trace.Path("a"), " "), row.want), "%s: %v", name, trace.Path("a"))
		require.Equal(t, row.state, trace.Contacts[0].State, name)
	}
	for _, bad := range []string{
		`{"type":"segment"}`, `{"type":"segment","entered":"a","left":"b"}`, `{"type":"segment","entered":"A B"}`, `{"type":"stage","stage":"boss"}`,
		`{"type":"stage"}`, `{"type":"alias"}`,
	} {
		_, problems := journey.DecodeSimEvents(strings.NewReader(`{"at":"2026-01-05T09:00:00Z","user":"a",` + bad[1:]))
		require.Len(t, problems, 1, bad)
	}
}

package journey_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/journey"
)

const explained = `{"journey":"trial","enter":[{"event":"Signed Up"}],"goal":[{"event":"Bought"}],"steps":[
{"id":"activated","wait_for":[{"event":"Project Created","go":"fit"},{"segment":"vip","go":"fit"},{"after":"3d","go":"nudge"}]},
{"id":"nudge","send":{"template":"nudge"},"next":"pause"},
{"id":"pause","wait":{"for":"2d"},"next":"cut"},
{"id":"fit","branch":[{"when":"contact.seats >= 5","go":"sales"},{"else":true,"go":"cut"}]},
{"id":"sales","handoff":{"why":"Seats","won":"end","lost":"end","rejected":"cut","expires":{"after":"5d","go":"cut"}}},
{"id":"cut","split":[{"weight":1,"name":"short","go":"end"},{"weight":1,"holdout":true,"go":"end"}]},
{"id":"end","exit":{"reason":"done"}}]}`

func explainable(t *testing.T) (*journey.Definition, *journey.Plan) {
	t.Helper()
	def, problems := journey.Parse([]byte(explained))
	require.Empty(t, problems)
	plan, err := journey.Compile(def)
	require.NoError(t, err)
	return def, plan
}

func TestWhyAContactCameOrDidNotComeToAStep(t *testing.T) {
	t.Parallel()
	def, plan := explainable(t)
	at := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	created := journey.Decision{StepID: "activated", Kind: "wait_for", Outcome: "0", Detail: map[string]any{"next": "fit", "event": "Project Created"}, At: at}
	small := journey.Decision{StepID: "fit", Kind: "branch", Outcome: "else", Detail: map[string]any{"next": "cut"}, At: at}
	in := func(state journey.EnrollmentState, step, reason string) *journey.Enrollment {
		e := &journey.Enrollment{ID: "e", Version: 2, State: state, Step: step, Reason: reason, WakeAt: &at}
		if state.Final() {
			e.WakeAt, e.EndedAt = nil, &at
		}
		return e
	}
	for name, tc := range map[string]struct {
		past       journey.Past
		step, code string
		words      string
	}{
		"waits before it": {journey.Past{Enrollment: in(journey.Waiting, "activated", "")}, "nudge", journey.WhyNotYet,
			"It hasn't reached nudge yet: it is at activated and waits for Project Created or entering the segment vip."},
		"begins":       {journey.Past{Enrollment: in(journey.Active, "", "")}, "nudge", journey.WhyNotYet, "It hasn't reached nudge yet: it is at activated."},
		"stands at it": {journey.Past{Enrollment: in(journey.Waiting, "pause", "")}, "pause", journey.WhyHere, "The contact is at pause now and waits."},
		"another way": {journey.Past{Enrollment: in(journey.Waiting, "cut", ""), Made: []journey.Decision{created, small}}, "nudge", journey.WhyOtherWay,
			"At activated it went another way, to fit. Project Created came first."},
		"another way later": {journey.Past{Enrollment: in(journey.Completed, "end", "done"), Made: []journey.Decision{created, small}}, "sales", journey.WhyOtherWay,
			"At fit it went another way, to cut. None of the conditions was true."},
		"passed": {journey.Past{Enrollment: in(journey.Completed, "end", "done"), Made: []journey.Decision{created, small}}, "fit", journey.WhyPassed,
			"The contact was at this step. None of the conditions was true."},
		"the end itself": {journey.Past{Enrollment: in(journey.Completed, "end", "done")}, "end", journey.WhyPassed,
			"The journey ended here. Went through to the end: done."},
		"ended before": {journey.Past{Enrollment: in(journey.Completed, "activated", "goal")}, "nudge", journey.WhyEnded,
			"It did not get that far. Went through to the end: the goal was reached."},
		"ended on the way to it": {journey.Past{Enrollment: in(journey.Completed, "sales", "goal"), Made: []journey.Decision{created,
			{StepID: "fit", Kind: "branch", Outcome: "0", Detail: map[string]any{"next": "sales"}, At: at}}}, "cut", journey.WhyEnded,
			"It did not get that far. Went through to the end: the goal was reached."},
		"a step of a later version": {journey.Past{Enrollment: in(journey.Waiting, "pause", "")}, "new_one", journey.WhyNoSuchStep,
			"The contact is in version 2 of the journey, which has no step new_one."},
		"kept out": {journey.Past{Live: true, Refused: &journey.Decision{Kind: "not_entered", Reason: "condition_not_met", Detail: map[string]any{"event": "Signed Up"}}},
			"nudge", journey.WhyNotEntered, "Not entered. Signed Up let nobody in: the condition for entering did not hold."},
		"nothing enrolled it": {journey.Past{Live: true}, "nudge", journey.WhyNeverEntered,
			"Never entered this journey: nothing enrolled the contact. No event that starts it has come since it went live."},
		"not live": {journey.Past{}, "nudge", journey.WhyNotPublished, "Nobody can enter this journey: no version is live."},
	} {
		tc.past.Definition, tc.past.Plan = def, plan
		answer := tc.past.Explain(tc.step)
		require.Equal(t, tc.code, answer.Code, name)
		require.Equal(t, tc.words, answer.Words, name)
	}
}

func TestDecisionsAreToldInWords(t *testing.T) {
	t.Parallel()
	def, _ := explainable(t)
	for want, made := range map[string]journey.Decision{
		"Project Created came first.":                                       {StepID: "activated", Kind: "wait_for", Outcome: "0"},
		"entering the segment vip came first.":                              {StepID: "activated", Kind: "wait_for", Outcome: "1"},
		"3d were over without Project Created or entering the segment vip.": {StepID: "activated", Kind: "wait_for", Outcome: "timeout"},
		"Bought reached the goal.":                                          {StepID: "activated", Kind: "wait_for", Outcome: "goal", Detail: map[string]any{"event": "Bought"}},
		"2d were over.":                                                     {StepID: "pause", Kind: "wait", Outcome: "next"},
		"contact.seats >= 5 was true.":                                      {StepID: "fit", Kind: "branch", Outcome: "0"},
		"Got the arm short.":                                                {StepID: "cut", Kind: "split", Outcome: "0"},
		"Left alone, to compare with.":                                      {StepID: "cut", Kind: "split", Outcome: "1"},
		"Sales gave the contact back.":                                      {StepID: "sales", Kind: "handoff", Outcome: "rejected"},
		"Entered by Signed Up.":                                             {Kind: "entered", Outcome: "entered", Detail: map[string]any{"event": "Signed Up"}},
		"Went through to the end: trial ended.":                             {StepID: "end", Kind: "completed", Outcome: "completed", Reason: "trial ended"},
		"It failed: the journey has no such step.":                          {StepID: "pause", Kind: "wait", Outcome: "failed", Reason: journey.ReasonUnknownStep},
		"9.":                                  {StepID: "gone", Kind: "split", Outcome: "9"},
		"The stage is now customer · bought.": {Kind: "stage", Outcome: "customer", Reason: "bought"},
	} {
		require.Equal(t, want, def.Tell(made))
	}
	var unknown *journey.Definition
	require.Equal(t, "0.", unknown.Tell(journey.Decision{StepID: "fit", Kind: "branch", Outcome: "0"}))
}

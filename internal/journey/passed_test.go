package journey_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/journey"
)

// A wait whose moment is past is behind the enrollment at once; one that it stands at, or has ended at, is not.
func TestPassed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	def, problems := journey.Parse([]byte(`{"journey":"j","enter":[{"event":"In"}],"steps":[
		{"id":"gone","wait":{"until":"2026-02-01T00:00:00Z"}},{"id":"far","wait":{"until":"2026-04-01T00:00:00Z"}},{"id":"also","wait":{"until":"2026-02-02T00:00:00Z"}},
		{"id":"short","wait":"1h"},{"id":"end","exit":"done"}]}`))
	require.Empty(t, problems)
	plan, err := journey.Compile(def)
	require.NoError(t, err)
	state, _ := plan.Start(0, now)
	require.Equal(t, "far", state.Step)
	gone := journey.Passage{Step: "gone", Visit: 1, Until: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}
	require.Equal(t, []journey.Passage{gone}, plan.Passed(state), "it stands at the second")
	state, _ = plan.Next(state, journey.Outcome{Port: journey.PortNext}, now)
	require.Equal(t, []string{"also", "far", "gone"}, []string{plan.Passed(state)[0].Step, plan.Passed(state)[1].Step, plan.Passed(state)[2].Step})
	require.Empty(t, plan.Passed(journey.State{}))

	events, problems := journey.DecodeSimEvents(strings.NewReader(`{"type":"track","at":"2026-03-01T09:00:00Z","user":"a","event":"In"}`))
	require.Empty(t, problems)
	trace, err := journey.Simulate(def, events, journey.SimOptions{Horizon: 60 * 24 * time.Hour})
	require.NoError(t, err)
	require.Equal(t, "gone:next far:next also:next short:next", strings.Join(trace.Path("a"), " "), "each once")
}

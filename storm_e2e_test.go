package main

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"throughline.dev/throughline/workflows"
)

const (
	stormEvents = 20_000
	stormBatch  = 200
	stormEach   = 10 // every tenth event moves the enrollment
)

// A storm of 20,000 events to one contact: every event that matters counts once, over several continue-as-news, and no
// run comes near Temporal's limits (10,000 signals, a warning at 10,240 events).
func TestStorm(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.publish(t, fmt.Sprintf(`
journey: storm
enter: [{event: Signed Up}]
goal: {event: Finished}
steps:
  - id: listen
    wait_for:
      - {event: Tick, when: "int(event.n) %% %d == 0", go: count}
      - {forever: true}
  - id: count
    score: {add: 1, reason: tick}
    next: listen
`, stormEach))
	who := newPerson()
	id := p.identify(t, who, nil)
	p.track(t, who, "Signed Up", nil)
	eventually(t, "it listens", func() bool { return len(interests(t, p, id)) == 2 })

	began := time.Now()
	for n := 0; n < stormEvents; n += stormBatch {
		batch := make([]map[string]any, 0, stormBatch)
		for i := range stormBatch {
			batch = append(batch, map[string]any{
				"type": "track", "userId": who.user, "event": "Tick", "messageId": uuid.NewString(), "properties": map[string]any{"n": n + i},
			})
		}
		p.segment(t, "/v1/batch", map[string]any{"batch": batch})
	}
	t.Logf("20,000 events accepted in %s", time.Since(began).Round(time.Millisecond))
	for score := -1; score < stormEvents/stormEach; {
		before := score
		eventually(t, "the score moves on from "+strconv.Itoa(score), func() bool {
			score = p.contact(t, who).Score
			return score > before
		})
	}
	t.Logf("all of them handled after %s", time.Since(began).Round(time.Millisecond))
	p.track(t, who, "Finished", nil)
	require.Equal(t, "goal", p.ended(t, id).Reason)
	require.Equal(t, stormEvents/stormEach, p.contact(t, who).Score, "none twice")

	c := p.temporal(t)
	runs, total := 0, 0
	for runID := ""; ; runs++ {
		events, signals, next := 0, 0, ""
		it := c.GetWorkflowHistory(t.Context(), workflows.JourneyID(id), runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for it.HasNext() {
			e, err := it.Next()
			require.NoError(t, err)
			events++
			if e.GetEventType() == enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
				signals++
			}
			if started := e.GetWorkflowExecutionStartedEventAttributes(); started != nil {
				next = started.GetContinuedExecutionRunId()
			}
		}
		t.Logf("run %d from the end: %d events, %d signals", runs, events, signals)
		require.Less(t, events, 5000)
		total += signals
		if next == "" {
			break
		}
		runID = next
	}
	require.LessOrEqual(t, total, 40, "a storm costs a handful of signals")
	record(t, c, workflows.JourneyID(id), "", "journey-carried-over")
	require.GreaterOrEqual(t, runs, 2, "the storm must have been carried over a continue-as-new")
}

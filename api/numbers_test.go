package api

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/journey"
)

// noNumbers is a journey that nobody has entered.
type noNumbers struct{}

func (noNumbers) Tally(context.Context, string, int, []string, time.Time, time.Time) (journey.Tally, error) {
	return journey.Tally{}, nil
}

func (noNumbers) ListCounted(context.Context, string, journey.Counted, string, int) (Page[journey.CountedContact], error) {
	return Page[journey.CountedContact]{}, nil
}

func TestNumbersOfAJourneyThatNobodyHasEntered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Equal(t, http.StatusNotFound, serve(w, call{method: "GET", url: "/v1/journeys/trial/numbers", key: "key-read"}).Code)
	saved := serve(w, call{method: "PUT", url: "/v1/journeys/trial", key: "key-journeys", body: "journey: trial\nsteps:\n  - id: done\n    exit: finished\n"})
	require.Equal(t, http.StatusOK, saved.Code, saved.Body)
	answer := serve(w, call{method: "GET", url: "/v1/journeys/trial/numbers", key: "key-read"})
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	var numbers journey.Numbers
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &numbers))
	require.Zero(t, numbers.Entered)
	require.Equal(t, http.StatusOK, serve(w, call{method: "POST", url: "/v1/journeys/trial/publish", key: "key-journeys"}).Code)
	answer = serve(w, call{method: "GET", url: "/v1/journeys/trial/numbers", key: "key-read"})
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &numbers))
	require.Equal(t, 1, numbers.Version)
	require.Equal(t, []journey.StepCount{{Step: "done"}}, numbers.Steps)
}

// splitNumbers is a journey whose split has been counted.
type splitNumbers struct{ noNumbers }

func (splitNumbers) Tally(context.Context, string, int, []string, time.Time, time.Time) (journey.Tally, error) {
	definition, _ := journey.Parse([]byte(splitJourney))
	return journey.Tally{Experiments: []journey.ExperimentRecord{{
		Planned: definition.Experiments()[0], Counts: []journey.ArmCount{{Entered: 4000, Converted: 400}, {Entered: 4000, Converted: 520}},
	}}}, nil
}

const splitJourney = "journey: trial\nenter: [{event: Signed Up}]\nsteps:\n  - id: nudge\n    split:\n      - {name: short, weight: 1, go: done}\n      - {name: long, weight: 1, go: done}\n  - id: done\n    exit: finished\n"

func TestNumbersSayWhatASplitShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Numbers = splitNumbers{} })
	saved := serve(w, call{method: "PUT", url: "/v1/journeys/trial", key: "key-journeys", body: splitJourney})
	require.Equal(t, http.StatusOK, saved.Code, saved.Body)
	published := serve(w, call{method: "POST", url: "/v1/journeys/trial/publish", key: "key-journeys"})
	require.Equal(t, http.StatusOK, published.Code, published.Body)
	for _, query := range []string{"", "?version=1", "?version=0"} {
		answer := serve(w, call{method: "GET", url: "/v1/journeys/trial/numbers" + query, key: "key-read"})
		require.Equal(t, http.StatusOK, answer.Code, answer.Body)
		var numbers journey.Numbers
		require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &numbers))
		require.Equal(t, journey.VerdictDecided, numbers.Experiments[0].Verdict.State, query)
		require.InDelta(t, 0.3, numbers.Experiments[0].Variants[1].Lift.Value, 1e-9)
		require.Less(t, numbers.Experiments[0].Variants[1].Always.PValue, 0.05)
	}
}

func TestContactsBehindANumberAreAskedForRightly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	serve(w, call{method: "PUT", url: "/v1/journeys/trial", key: "key-journeys", body: "journey: trial\nsteps:\n  - id: done\n    exit: finished\n"})
	for query, code := range map[string]string{
		"?outcome=next":                        "missing_step",
		"?message=sent":                        "missing_step",
		"?step=done&outcome=next&message=sent": "two_numbers",
		"?cursor=bm9wZQ":                       "bad_cursor",
	} {
		answer := serve(w, call{method: "GET", url: "/v1/journeys/trial/contacts" + query, key: "key-read"})
		require.Equal(t, http.StatusUnprocessableEntity, answer.Code, query)
		require.Contains(t, answer.Body.String(), code, query)
	}
	require.Equal(t, http.StatusOK, serve(w, call{method: "GET", url: "/v1/journeys/trial/contacts?step=done", key: "key-read"}).Code)
}

package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// memoryExperiments keeps one experiment at most.
type memoryExperiments struct{ record *journey.ExperimentRecord }

func (m *memoryExperiments) ListExperiments(context.Context, string, string, int) (Page[journey.ExperimentRecord], error) {
	page := Page[journey.ExperimentRecord]{}
	if m.record != nil {
		page.Items = append(page.Items, *m.record)
	}
	return page, nil
}

func (m *memoryExperiments) FindExperiment(_ context.Context, id string) (journey.ExperimentRecord, error) {
	if m.record == nil || m.record.ID() != id {
		return journey.ExperimentRecord{}, fault.New(fault.NotFound, "experiment_not_found", "There is no such experiment.")
	}
	return *m.record, nil
}

func (m *memoryExperiments) ChooseWinner(_ context.Context, _ string, w journey.ExperimentWinner, expected *int64) (journey.ExperimentRecord, error) {
	if expected != nil && *expected != m.record.Revision {
		return journey.ExperimentRecord{}, fault.New(fault.Conflict, "stale_revision", "A winner was chosen meanwhile.")
	}
	m.record.Winner, m.record.Revision = &w, m.record.Revision+1
	return *m.record, nil
}

func TestAWinnerIsChosenByHand(t *testing.T) {
	t.Parallel()
	definition, _ := journey.Parse([]byte(splitJourney))
	planned := definition.Experiments()[0]
	kept := &memoryExperiments{record: &journey.ExperimentRecord{Planned: planned, Live: true, Standing: journey.Standing{Revision: 1}}}
	w := newWorld(t, func(o *Options) { o.Experiments = kept })
	list := w.do(t, call{method: "GET", url: "/v1/experiments?journey=trial", key: "key-read"})
	require.Equal(t, http.StatusOK, list.Code, list.Body)
	require.Contains(t, list.Body.String(), `"state":"running"`)
	url := "/v1/experiments/" + planned.ID()
	choose := func(key, body string) (int, string) {
		answer := w.do(t, call{method: "POST", url: url + "/winner", key: key, body: body})
		return answer.Code, answer.Body.String()
	}
	for _, tc := range []struct {
		key, body string
		code      int
		words     string
	}{
		{"key-read", `{"port":"1"}`, http.StatusForbidden, ""},
		{"key-journeys", `{"port":"2"}`, http.StatusUnprocessableEntity, "unknown_variant"},
		{"key-journeys", `{"port":"-1"}`, http.StatusUnprocessableEntity, "unknown_variant"},
		{"key-journeys", `{"port":"1","expected_revision":7}`, http.StatusConflict, "stale_revision"},
		{"key-journeys", `{"port":"1","expected_revision":1}`, http.StatusOK, `"state":"won"`},
	} {
		code, body := choose(tc.key, tc.body)
		require.Equal(t, tc.code, code, body)
		require.Contains(t, body, tc.words)
	}
	var shown journey.Experiment
	answer := w.do(t, call{method: "GET", url: url, key: "key-read"})
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &shown))
	require.Equal(t, "1", shown.Won.Port)
	require.NotEmpty(t, shown.Won.By)
	require.InDelta(t, 1, shown.Variants[1].New, 1e-9)
	require.Equal(t, http.StatusNotFound, w.do(t, call{method: "POST", url: "/v1/experiments/none/winner", key: "key-journeys", body: `{"port":"1"}`}).Code)
}

// Whoever changes what is compared is told before publishing; who changes other things is not.
func TestANewExperimentIsAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	save := func(body string) string {
		answer := w.do(t, call{method: "PUT", url: "/v1/journeys/trial", key: "key-journeys", body: body})
		require.Equal(t, http.StatusOK, answer.Code, answer.Body)
		return answer.Body.String()
	}
	require.NotContains(t, save(splitJourney), "new_experiment", "nothing is live yet")
	published := w.do(t, call{method: "POST", url: "/v1/journeys/trial/publish", key: "key-journeys"})
	require.Equal(t, http.StatusOK, published.Code, published.Body)
	require.NotContains(t, save(strings.Replace(splitJourney, "exit: finished", "exit: over", 1)), "new_experiment")
	require.Contains(t, save(strings.Replace(splitJourney, "weight: 1", "weight: 2", 1)), "publishing begins a new experiment there, which counts from zero")
}

package api

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExamplesAreTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Examples = os.DirFS("../examples") })
	answer := serve(w, call{method: "GET", url: "/v1/examples", key: "key-read"})
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	var list List[Example]
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &list))
	require.Len(t, list.Data, 4)
	for _, example := range list.Data {
		require.NotEmpty(t, example.Name)
		require.NotEmpty(t, example.Templates)
		require.NotContains(t, example.Summary, "#")
		taken := serve(w, call{method: "POST", url: "/v1/examples/" + example.Key, key: "key-journeys"})
		require.Equal(t, http.StatusCreated, taken.Code, taken.Body)
		var saved SavedDraft
		require.NoError(t, json.Unmarshal(taken.Body.Bytes(), &saved))
		require.Zero(t, countErrors(saved.Problems), "%s can be published as it is: %v", example.Key, saved.Problems)
		again := serve(w, call{method: "POST", url: "/v1/examples/" + example.Key, key: "key-journeys"})
		require.Equal(t, http.StatusConflict, again.Code, again.Body)
		require.Equal(t, http.StatusForbidden, serve(w, call{method: "POST", url: "/v1/examples/" + example.Key, key: "key-read"}).Code)
	}
	require.Equal(t, http.StatusNotFound, serve(w, call{method: "POST", url: "/v1/examples/scoring", key: "key-journeys"}).Code)
}

func TestTryingAJourney(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	try := func(body string) int {
		return serve(w, call{method: "POST", url: "/v1/journeys/trial/try", key: "key-journeys", body: body}).Code
	}
	require.Equal(t, http.StatusNotFound, try(`{"email":"me@example.test"}`))
	serve(w, call{method: "PUT", url: "/v1/journeys/trial", key: "key-journeys", body: "journey: trial\nsteps:\n  - id: done\n    exit: finished\n"})
	require.Equal(t, http.StatusConflict, try(`{"email":"me@example.test"}`))
	serve(w, call{method: "POST", url: "/v1/journeys/trial/publish", key: "key-journeys"})
	require.Equal(t, http.StatusUnprocessableEntity, try(`{"email":"Me <me@example.test>"}`))
	require.Equal(t, http.StatusCreated, try(`{"email":"me@example.test","first_name":"Mo"}`))
}

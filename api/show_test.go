package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/journey"
)

// A mail is shown in a frame of ours alone, where nothing runs, is loaded or leaves.
func TestShowMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := "/v1/messages/" + messageOf + "/html"
	shown := serve(w, call{method: "GET", url: url, key: "key-read"})
	require.Equal(t, http.StatusOK, shown.Code, shown.Body)
	require.Equal(t, []string{"<p>Hi</p>", "text/html; charset=utf-8"}, []string{shown.Body.String(), shown.Header().Get("Content-Type")})
	policy := shown.Header().Get("Content-Security-Policy")
	for _, rule := range []string{"sandbox", "default-src 'none'", "frame-ancestors 'self'", "form-action 'none'"} {
		require.Contains(t, strings.Split(policy, "; "), rule)
	}
	require.Equal(t, http.StatusUnauthorized, serve(w, call{method: "GET", url: url}).Code)
	require.Equal(t, http.StatusForbidden, serve(w, call{method: "GET", url: url, key: "key-journeys"}).Code)
	for _, id := range []string{absentID, "no-id"} {
		require.Equal(t, http.StatusNotFound, serve(w, call{method: "GET", url: "/v1/messages/" + id + "/html", key: "key-read"}).Code)
	}
}

// The palette is the kind table, and each example a step that can be put into a journey.
func TestStepKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer := serve(w, call{method: "GET", url: "/v1/step_kinds", key: "key-journeys"})
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	var kinds StepKinds
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &kinds))
	require.Len(t, kinds.Data, len(journey.Kinds()))
	for i, kind := range kinds.Data {
		require.Equal(t, journey.Kinds()[i].Kind, kind.Kind)
		definition, problems := journey.Parse([]byte("journey: one\nsteps:\n" + kind.Example))
		require.NotNil(t, definition, "%s: %v", kind.Kind, problems)
		require.Len(t, definition.Steps, 1, kind.Kind)
		for _, field := range kind.Fields {
			if field.InsteadOf != "" {
				require.True(t, slices.ContainsFunc(kind.Fields, func(f journey.Field) bool { return f.Name == field.InsteadOf }), "%s: %s", kind.Kind, field.Name)
			}
		}
	}
	var names []string
	for _, field := range kinds.Definition {
		names = append(names, field.Name)
	}
	require.Equal(t, []string{"journey", "name", "enter", "reenter", "priority", "during_handoff", "goal", "exit"}, names)
}

// What the pages' types are made of is what a server says.
func TestDocument(t *testing.T) {
	t.Parallel()
	document, err := Document("test")
	require.NoError(t, err)
	require.JSONEq(t, serve(newWorld(t), call{method: "GET", url: "/openapi.json"}).Body.String(), string(document))
}

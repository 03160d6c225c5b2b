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

func (m *memory) PauseJourney(ctx context.Context, key, _ string, now time.Time) (journey.Draft, error) {
	return m.setPaused(ctx, key, &now)
}

func (m *memory) ResumeJourney(ctx context.Context, key, _ string, _ time.Time) (journey.Draft, error) {
	return m.setPaused(ctx, key, nil)
}

func (m *memory) setPaused(ctx context.Context, key string, at *time.Time) (journey.Draft, error) {
	draft, err := m.FindDraft(ctx, key)
	if err != nil {
		return draft, err
	}
	draft.PausedAt = at
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drafts[key] = draft
	return draft, nil
}

func TestAPausedJourneySaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.drafts["trial"] = journey.Draft{Journey: "trial", Revision: 1, Document: json.RawMessage("{}"), LiveVersion: 1}
	post := func(url, key string) int { return w.do(t, call{method: http.MethodPost, url: url, key: key}).Code }
	require.Equal(t, http.StatusForbidden, post("/v1/journeys/trial/pause", "key-read"))
	require.Equal(t, http.StatusNotFound, post("/v1/journeys/none/pause", "key-journeys"))
	require.Equal(t, http.StatusOK, post("/v1/journeys/trial/pause", "key-journeys"))
	for _, url := range []string{"/v1/journeys", "/v1/journeys/trial"} {
		require.Contains(t, w.do(t, call{method: http.MethodGet, url: url, key: "key-read"}).Body.String(), `"paused_at":"2026-11-23T12:00:00Z"`, url)
	}
	require.Equal(t, http.StatusOK, post("/v1/journeys/trial/resume", "key-journeys"))
	require.NotContains(t, w.do(t, call{method: http.MethodGet, url: "/v1/journeys", key: "key-read"}).Body.String(), "paused_at")
}

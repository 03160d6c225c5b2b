package worker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type reputations struct {
	since  time.Time
	all    []Harmful
	paused map[string]string
}

func (r *reputations) Harmful(_ context.Context, since time.Time) ([]Harmful, error) {
	r.since = since
	return r.all, nil
}

func (r *reputations) PauseHarmful(_ context.Context, journey, by string, _ time.Time) error {
	r.paused[journey] = by
	return nil
}

func TestGuardPausesWhatDoesHarm(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	source := &reputations{paused: map[string]string{}, all: []Harmful{{"hated", "3 of 1000 recipients complained within a day"}, {"lost", "addresses are none"}}}
	guard := Guard{Source: source, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	require.NoError(t, guard.Look(t.Context()))
	require.Equal(t, now.Add(-24*time.Hour), source.since)
	require.Equal(t, map[string]string{"hated": "Throughline, because 3 of 1000 recipients complained within a day", "lost": "Throughline, because addresses are none"}, source.paused)
}

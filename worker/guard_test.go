package worker

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

type reputations struct {
	since  time.Time
	all    []email.Reputation
	paused map[string]string
}

func (r *reputations) Reputations(_ context.Context, since time.Time) ([]email.Reputation, error) {
	r.since = since
	return r.all, nil
}

func (r *reputations) PauseJourney(_ context.Context, key, by string, _ time.Time) (journey.Draft, error) {
	r.paused[key] = by
	return journey.Draft{}, nil
}

func TestGuardPausesWhatDoesHarm(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	source := &reputations{paused: map[string]string{}, all: []email.Reputation{
		{Journey: "good", Mails: 1000, Complaints: 1, HardBounces: 10}, {Journey: "hated", Mails: 1000, Complaints: 3}, {Journey: "lost", Mails: 1000, HardBounces: 51}, {Journey: "young", Mails: 100, Complaints: 50},
	}}
	guard := Guard{Source: source, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	require.NoError(t, guard.Look(t.Context()))
	require.Equal(t, now.Add(-24*time.Hour), source.since)
	require.Equal(t, map[string]string{
		"hated": "Throughline, because 3 of 1000 recipients complained within a day", "lost": "Throughline, because 51 of 1000 addresses did not exist, within a day",
	}, source.paused)
}

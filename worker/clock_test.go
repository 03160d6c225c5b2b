package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/worker"
)

// clockSource has contacts that are due and contacts to walk.
type clockSource struct {
	due, walk int
	err       error
	calls     []string
}

func (s *clockSource) RefreshDue(_ context.Context, _ time.Time, limit int) (int, error) {
	s.calls = append(s.calls, "due")
	n := min(s.due, limit)
	s.due -= n
	return n, s.err
}

func (s *clockSource) Walk(_ context.Context, _ time.Time, chunk int) (bool, error) {
	s.calls = append(s.calls, "walk")
	s.walk -= min(s.walk, chunk)
	return s.walk == 0, s.err
}

func TestClockTurn(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		due, walk int
		calls     string
		busy      bool
	}{
		"nothing": {0, 0, "due also walk", false},
		"what is due comes first, until it is less": {1200, 0, "due due due also walk", false},
		"a walk goes on until it is done":           {3, 1500, "due also walk walk walk", false},
		"a long walk lets what is due in between":   {0, 100_000, "due also" + strings.Repeat(" walk", 20), true},
		"many that are due let the walk in":         {100_000, 0, strings.Repeat("due ", 20) + "also walk", true},
	} {
		source := &clockSource{due: row.due, walk: row.walk}
		clock := worker.Clock{Source: source, Now: time.Now, Also: func(context.Context, time.Time) error {
			source.calls = append(source.calls, "also")
			return nil
		}}
		busy, err := clock.Turn(t.Context())
		require.NoError(t, err, name)
		require.Equal(t, row.calls, strings.Join(source.calls, " "), name)
		require.Equal(t, row.busy, busy, name)
	}
}

// A failure is told and tried again at the next tick; nothing of it ends the job.
func TestClockGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var log strings.Builder
	turns := 0
	source := &clockSource{err: errors.New("the database is away")}
	clock := worker.Clock{Source: source, Every: time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time {
		if turns++; turns == 3 {
			cancel()
		}
		return time.Unix(0, 0)
	}}
	clock.Run(ctx)
	require.Equal(t, 3, turns)
	require.Equal(t, 2, strings.Count(log.String(), "the clock job failed"), "the last one is the end")
}

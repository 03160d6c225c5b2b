package worker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// counting is a source whose looks take time.
type counting struct {
	now    time.Time
	takes  map[string]time.Duration
	fails  string
	looked []string
}

func (c *counting) Note(context.Context) error { return nil }

func (c *counting) All(context.Context) ([]string, error) {
	return []string{"small", "broken", "large"}, nil
}

func (c *counting) Look(_ context.Context, id string) (string, error) {
	c.looked = append(c.looked, id)
	c.now = c.now.Add(c.takes[id])
	if id == c.fails {
		return "", errors.New("can't be counted")
	}
	return "", nil
}

// One that takes long to count rests; one that can't be counted keeps no other from it.
func TestTheJudgeRests(t *testing.T) {
	t.Parallel()
	c := &counting{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), takes: map[string]time.Duration{"large": time.Second}, fails: "broken"}
	j := Judge{Source: c, Now: func() time.Time { return c.now }, Log: slog.New(slog.DiscardHandler)}
	require.NoError(t, j.Turn(t.Context()))
	require.Equal(t, []string{"small", "broken", "large"}, c.looked)
	for range 3 {
		c.looked, c.now = nil, c.now.Add(5*time.Second)
		require.NoError(t, j.Turn(t.Context()))
		require.Equal(t, []string{"small", "broken"}, c.looked)
	}
	c.looked, c.now = nil, c.now.Add(5*time.Second)
	require.NoError(t, j.Turn(t.Context()))
	require.Equal(t, []string{"small", "broken", "large"}, c.looked)
}

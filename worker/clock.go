package worker

import (
	"context"
	"log/slog"
	"time"
)

// ClockSource keeps current what time alone changes about contacts, and what new rules change. Each call is one small step, safe with
// several workers at once: one of them does it, the others find nothing to do.
type ClockSource interface {
	// RefreshDue judges contacts that are due, and tells how many they were.
	RefreshDue(ctx context.Context, now time.Time, limit int) (int, error)
	// Walk brings the next contacts up to the rules, and tells whether everybody is there.
	Walk(ctx context.Context, now time.Time, chunk int) (done bool, err error)
}

// Clock is the job that moves contacts into and out of segments when nothing comes in: "not seen for 14 days" is true at a moment at which
// by nature nothing happens.
type Clock struct {
	Source ClockSource
	// Also is done at each turn after the contacts that are due; nil: nothing.
	Also  func(ctx context.Context, now time.Time) error
	Every time.Duration
	Now   func() time.Time
	Log   *slog.Logger
}

const (
	clockBatch = 500
	// clockSteps bounds a turn, so that a long walk does not keep what is due waiting.
	clockSteps = 20
)

// Run keeps things current until the context ends.
func (c *Clock) Run(ctx context.Context) {
	ticker := time.NewTicker(c.Every)
	defer ticker.Stop()
	for {
		busy, err := c.Turn(ctx)
		if err != nil && ctx.Err() == nil {
			c.Log.Warn("the clock job failed", "error", err.Error())
		}
		if busy && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Turn judges what is due, then walks on, a bounded number of steps each, and tells whether there is more of it.
func (c *Clock) Turn(ctx context.Context) (busy bool, err error) {
	for range clockSteps {
		n, err := c.Source.RefreshDue(ctx, c.Now(), clockBatch)
		if err != nil {
			return false, err
		}
		busy = n == clockBatch
		if !busy {
			break
		}
	}
	if c.Also != nil {
		if err := c.Also(ctx, c.Now()); err != nil {
			return false, err
		}
	}
	for range clockSteps {
		done, err := c.Source.Walk(ctx, c.Now(), clockBatch)
		if err != nil {
			return false, err
		}
		if done {
			return busy, nil
		}
	}
	return true, nil
}

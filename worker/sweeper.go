package worker

import (
	"context"
	"log/slog"
	"time"
)

// PendingSource finds contacts whose journey was not woken, or did not read its inbox.
type PendingSource interface {
	StalePending(ctx context.Context, now time.Time, olderThan time.Duration, limit int) ([]string, error)
}

// Sweeper wakes what nobody woke: an api that died between commit and poke, a Temporal server that was down.
type Sweeper struct {
	Source    PendingSource
	Poke      func(ctx context.Context, contactID string) error
	Every     time.Duration
	OlderThan time.Duration
	Now       func() time.Time
	Log       *slog.Logger
}

const sweepLimit = 500

// Run sweeps until the context ends.
func (s *Sweeper) Run(ctx context.Context) {
	ticker := time.NewTicker(s.Every)
	defer ticker.Stop()
	for {
		if _, err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn("sweep failed", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Sweep pokes what is stale, once, and tells how many it poked.
func (s *Sweeper) Sweep(ctx context.Context) (int, error) {
	ids, err := s.Source.StalePending(ctx, s.Now(), s.OlderThan, sweepLimit)
	if err != nil {
		return 0, err
	}
	for i, id := range ids {
		if err := s.Poke(ctx, id); err != nil {
			return i, err
		}
	}
	return len(ids), nil
}

package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Harmful is a journey whose mail does harm, and how.
type Harmful struct {
	Journey, Why string
}

// ReputationSource knows which journeys do harm by what was sent since a moment, and stops one.
type ReputationSource interface {
	Harmful(ctx context.Context, since time.Time) ([]Harmful, error)
	PauseHarmful(ctx context.Context, journey, by string, now time.Time) error
}

// Guard pauses a journey whose mail brings too many complaints or goes to too many addresses that are none, before mailbox providers stop taking the mail
// of everybody. Who resumes it takes the risk knowingly: it is judged anew, by what comes then.
type Guard struct {
	Source ReputationSource
	Every  time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

// guardWindow is how far back a journey is judged.
const guardWindow = 24 * time.Hour

// Run looks until the context ends.
func (g *Guard) Run(ctx context.Context) {
	ticker := time.NewTicker(g.Every)
	defer ticker.Stop()
	for {
		if err := g.Look(ctx); err != nil && ctx.Err() == nil {
			g.Log.Warn("reputation not looked at", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Look judges the journeys once.
func (g *Guard) Look(ctx context.Context) error {
	now := g.Now()
	harmful, err := g.Source.Harmful(ctx, now.Add(-guardWindow))
	if err != nil {
		return fmt.Errorf("find harmful journeys: %w", err)
	}
	for _, one := range harmful {
		if err := g.Source.PauseHarmful(ctx, one.Journey, "Throughline, because "+one.Why, now); err != nil {
			return fmt.Errorf("pause journey %s: %w", one.Journey, err)
		}
		g.Log.Error("journey paused to protect the sender's reputation", "journey", one.Journey, "why", one.Why)
	}
	return nil
}

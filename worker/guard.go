package worker

import (
	"context"
	"log/slog"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

// ReputationSource knows what became of the mails of journeys, and stops one.
type ReputationSource interface {
	Reputations(ctx context.Context, since time.Time) ([]email.Reputation, error)
	PauseJourney(ctx context.Context, key, by string, now time.Time) (journey.Draft, error)
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
	reputations, err := g.Source.Reputations(ctx, now.Add(-guardWindow))
	if err != nil {
		return err
	}
	for _, r := range reputations {
		harm := r.Harm()
		if harm == "" {
			continue
		}
		if _, err := g.Source.PauseJourney(ctx, r.Journey, "Throughline, because "+harm, now); err != nil {
			return err
		}
		g.Log.Error("journey paused to protect the sender's reputation", "journey", r.Journey, "mails", r.Mails, "complaints", r.Complaints, "hard_bounces", r.HardBounces)
	}
	return nil
}

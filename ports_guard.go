package main

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/worker"
)

// guardPort judges journeys by what became of their mail.
type guardPort struct{ *store.Store }

// Harmful names the journeys that do harm.
func (p guardPort) Harmful(ctx context.Context, since time.Time) ([]worker.Harmful, error) {
	reputations, err := p.Reputations(ctx, since)
	var harmful []worker.Harmful
	for _, r := range reputations {
		if why := r.Harm(); why != "" {
			harmful = append(harmful, worker.Harmful{Journey: r.Journey, Why: why})
		}
	}
	return harmful, err
}

// PauseHarmful stops one of them.
func (p guardPort) PauseHarmful(ctx context.Context, journey, by string, now time.Time) error {
	_, err := p.PauseJourney(ctx, journey, by, now)
	return err
}

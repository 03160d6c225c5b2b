package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// ExperimentSource counts experiments and does what follows from the counts. Each call is safe with several workers at once, and does the same
// when it is done again.
type ExperimentSource interface {
	// Note learns which experiments there are in live versions.
	Note(ctx context.Context) error
	All(ctx context.Context) ([]string, error)
	// Look tells in words what was decided, if something was.
	Look(ctx context.Context, id string) (string, error)
}

// Judge looks at experiments all the time, which their test allows: it draws the weights of those that learn, and names winners.
type Judge struct {
	Source ExperimentSource
	Every  time.Duration
	Now    func() time.Time
	Log    *slog.Logger

	rests map[string]time.Time // until when an experiment is left alone
}

// judgeRest is how many times as long as a look took an experiment rests: counting takes a small part of the database's time, however many
// contacts there are.
const judgeRest = 20

// Run looks until the context ends.
func (j *Judge) Run(ctx context.Context) {
	ticker := time.NewTicker(j.Every)
	defer ticker.Stop()
	for {
		if err := j.Turn(ctx); err != nil && ctx.Err() == nil {
			j.Log.Warn("experiments not looked at", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Turn looks at each experiment once, but for those that rest. One that can't be looked at keeps no other from it.
func (j *Judge) Turn(ctx context.Context) error {
	if err := j.Source.Note(ctx); err != nil {
		return fmt.Errorf("note experiments: %w", err)
	}
	ids, err := j.Source.All(ctx)
	if err != nil {
		return fmt.Errorf("list experiments: %w", err)
	}
	rests := make(map[string]time.Time, len(ids))
	for _, id := range ids {
		began := j.Now()
		if until := j.rests[id]; began.Before(until) {
			rests[id] = until
			continue
		}
		decided, err := j.Source.Look(ctx, id)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			j.Log.Warn("experiment not looked at", "experiment", id, "error", err.Error())
		case decided != "":
			j.Log.Info("experiment decided", "experiment", id, "why", decided)
		}
		now := j.Now()
		rests[id] = now.Add(judgeRest * now.Sub(began))
	}
	j.rests = rests
	return nil
}

package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// ErasureSource keeps erasures and carries out their part in Postgres. Each call is one transaction, and done again changes nothing.
type ErasureSource interface {
	OpenErasures(ctx context.Context, limit int) ([]audience.Erasure, error)
	EraseRows(ctx context.Context, now time.Time, erasureID string) (audience.Erasure, error)
	FinishErasure(ctx context.Context, now time.Time, erasureID string) error
}

// Histories deletes what Temporal keeps of workflows.
type Histories interface {
	// Delete deletes all runs of a workflow, running ones too, and tells how many it found. Deletion goes on behind the answer: only who
	// finds none may call it done.
	Delete(ctx context.Context, workflowID string) (int, error)
}

// Eraser carries out erasures, and takes up those that were left in the middle.
//
// First the workflows end, so that nobody works with a contact that is being deleted; then the rows go; then the workflows are looked for
// again, because until the rows were gone an event or a sweep could start one.
type Eraser struct {
	Source    ErasureSource
	Histories Histories
	Every     time.Duration
	// Settle is how long after the rows a poke that was under way may still start a workflow: before that nothing is called done.
	Settle time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

const eraseBatch = 20

// Run erases until the context ends.
func (e *Eraser) Run(ctx context.Context) {
	ticker := time.NewTicker(e.Every)
	defer ticker.Stop()
	for {
		if err := e.Turn(ctx); err != nil && ctx.Err() == nil {
			e.Log.Warn("erasing failed, to be taken up again", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Turn takes every open erasure one step further. One that fails keeps no other waiting.
func (e *Eraser) Turn(ctx context.Context) error {
	open, err := e.Source.OpenErasures(ctx, eraseBatch)
	if err != nil {
		return fmt.Errorf("list open erasures: %w", err)
	}
	var first error
	for _, erasure := range open {
		if err := e.further(ctx, erasure); err != nil && first == nil {
			first = fmt.Errorf("erasure %s: %w", erasure.ID, err)
		}
	}
	return first
}

func (e *Eraser) further(ctx context.Context, erasure audience.Erasure) error {
	found, err := e.forget(ctx, erasure.Workflows)
	if err != nil {
		return err
	}
	if erasure.State == audience.ErasureRequested {
		_, err := e.Source.EraseRows(ctx, e.Now(), erasure.ID)
		return err
	}
	if found > 0 || erasure.DeletedAt == nil || e.Now().Sub(*erasure.DeletedAt) < e.Settle {
		return nil // to be looked at once more
	}
	return e.Source.FinishErasure(ctx, e.Now(), erasure.ID)
}

func (e *Eraser) forget(ctx context.Context, workflowIDs []string) (int, error) {
	found := 0
	for _, id := range workflowIDs {
		n, err := e.Histories.Delete(ctx, id)
		if err != nil {
			return found, err
		}
		found += n
	}
	return found, nil
}

package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/worker"
)

// world is an erasure in memory that may be cut after any call, as by a kill: what was done stays done, the rest never happens.
type world struct {
	erasure audience.Erasure
	runs    int // workflow runs that are there
	linger  int // how often they are still found after their deletion
	rows    bool
	calls   int
	cutAt   int
	now     time.Time
}

var errCut = errors.New("cut")

func (w *world) call() error {
	w.calls++
	if w.calls == w.cutAt {
		return errCut
	}
	return nil
}

func (w *world) OpenErasures(context.Context, int) ([]audience.Erasure, error) {
	if w.erasure.State == audience.ErasureDone {
		return nil, w.call()
	}
	return []audience.Erasure{w.erasure}, w.call()
}

func (w *world) EraseRows(_ context.Context, now time.Time, _ string) (audience.Erasure, error) {
	if w.rows {
		w.rows, w.erasure.State, w.erasure.DeletedAt = false, audience.ErasureDeleted, &now
	}
	return w.erasure, w.call()
}

func (w *world) FinishErasure(_ context.Context, now time.Time, _ string) error {
	w.erasure.State, w.erasure.DoneAt = audience.ErasureDone, &now
	return w.call()
}

func (w *world) Delete(context.Context, string) (int, error) {
	n := w.runs
	if w.linger--; w.linger < 0 {
		w.runs = 0
	}
	return n, w.call()
}

// Cut anywhere, an erasure is taken up and ends, and is never called done while a row or a run is there.
func TestEraserIsTakenUpAnywhere(t *testing.T) {
	t.Parallel()
	for cut := range 12 {
		w := &world{
			erasure: audience.Erasure{ID: "e", State: audience.ErasureRequested, Workflows: []string{"journey/1", "handoff/2"}},
			runs:    2, rows: true, cutAt: cut, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		}
		e := worker.Eraser{Source: w, Histories: w, Settle: 15 * time.Second, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)}
		late := false
		for range 20 {
			err := e.Turn(t.Context())
			require.True(t, err == nil || errors.Is(err, errCut), "%v", err)
			if w.erasure.State == audience.ErasureDone {
				break
			}
			if !w.rows && !late {
				late, w.runs, w.linger = true, 1, 12 // a poke that was under way when the rows went
			}
			w.now = w.now.Add(4 * time.Second)
		}
		require.Equal(t, audience.ErasureDone, w.erasure.State, "cut at call %d", cut)
		require.Equal(t, []any{false, 0, true}, []any{w.rows, w.runs, late}, "cut at call %d", cut)
		require.GreaterOrEqual(t, w.erasure.DoneAt.Sub(*w.erasure.DeletedAt), 15*time.Second)
	}
}

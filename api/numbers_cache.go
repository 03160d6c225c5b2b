package api

import (
	"context"
	"sync"
	"time"
)

// freshFor is how old an answer of a glance may be: a page that many look at, and that asks again every few seconds, costs one count. One
// that took long is kept restFor times as long as it took, so that counting takes a part of the database's time, whatever is counted.
const (
	freshFor = 3 * time.Second
	restFor  = 4
)

// glances remembers answers for a moment, and lets those who ask for the same at the same time wait for one answer.
type glances[T any] struct {
	now   func() time.Time
	mu    sync.Mutex
	known map[string]*glance[T]
}

// glance is one answer, or the work on it.
type glance[T any] struct {
	done  chan struct{} // closed when the answer is there
	value T
	err   error
	until time.Time
}

func newGlances[T any](now func() time.Time) *glances[T] {
	return &glances[T]{now: now, known: map[string]*glance[T]{}}
}

// of gives what is known of a key, or works it out. The work does not end with the caller that began it: others wait for it.
func (g *glances[T]) of(ctx context.Context, key string, work func(ctx context.Context) (T, error)) (T, error) {
	g.mu.Lock()
	g.forgetOld()
	entry, ok := g.known[key]
	if !ok {
		entry = &glance[T]{done: make(chan struct{})}
		g.known[key] = entry
		go g.work(context.WithoutCancel(ctx), key, entry, work)
	}
	g.mu.Unlock()
	select {
	case <-entry.done:
		return entry.value, entry.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (g *glances[T]) work(ctx context.Context, key string, entry *glance[T], work func(ctx context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	began := g.now()
	value, err := work(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	entry.value, entry.err, entry.until = value, err, now.Add(max(freshFor, restFor*now.Sub(began)))
	if err != nil {
		delete(g.known, key) // those who wait are told; the next one asks again
	}
	close(entry.done)
}

func (g *glances[T]) forgetOld() {
	now := g.now()
	for key, entry := range g.known {
		if !entry.until.IsZero() && !now.Before(entry.until) {
			delete(g.known, key)
		}
	}
}

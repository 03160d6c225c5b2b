package activities

import (
	"sync"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// Breaker stops a process from asking a service again and again that is down: after some failures in a row nobody is asked for a while.
type Breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time
}

const (
	breakAfter = 5
	breakFor   = time.Minute
)

// Allow refuses while the service is left alone.
func (b *Breaker) Allow(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.until) {
		return fault.New(fault.Unavailable, "model_resting", "The language model has failed several times in a row; it is asked again in a minute.")
	}
	return nil
}

// Note counts how an attempt went. Only what says that the service is down is a failure.
func (b *Breaker) Note(err error, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil || fault.KindOf(err) != fault.Unavailable {
		b.failures = 0
		return
	}
	if b.failures++; b.failures >= breakAfter {
		b.failures, b.until = 0, now.Add(breakFor)
	}
}

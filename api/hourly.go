package api

import (
	"slices"
	"sync"
	"time"
)

// hourly lets each key do something a number of times within any hour, in one process.
type hourly struct {
	limit int
	mu    sync.Mutex
	done  map[string][]time.Time // by key id, the oldest first: only keys that exist have an entry, and none more than limit
}

func newHourly(limit int) *hourly { return &hourly{limit: limit, done: map[string][]time.Time{}} }

// take counts one more, or says how long to wait for it.
func (h *hourly) take(keyID string, now time.Time) (wait time.Duration, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	done := slices.DeleteFunc(h.done[keyID], func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	if len(done) >= h.limit {
		h.done[keyID] = done
		return done[0].Add(time.Hour).Sub(now), false
	}
	h.done[keyID] = append(done, now)
	return 0, true
}

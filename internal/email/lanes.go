package email

import (
	"context"
	"sync"
)

// lanes let each provider have some of the connections, so that one that hangs never has them all. Whoever comes too early waits in its own lane.
type lanes struct {
	mu   sync.Mutex
	open map[string]*lane
}

type lane struct {
	busy    int
	waiting []chan struct{}
}

func (l *lanes) enter(ctx context.Context, provider string, limit int) error {
	l.mu.Lock()
	if l.open == nil {
		l.open = map[string]*lane{}
	}
	own := l.open[provider]
	if own == nil {
		own = &lane{}
		l.open[provider] = own
	}
	if own.busy < limit && len(own.waiting) == 0 {
		own.busy++
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	own.waiting = append(own.waiting, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	for i, other := range own.waiting {
		if other == turn {
			own.waiting = append(own.waiting[:i], own.waiting[i+1:]...)
			l.mu.Unlock()
			return context.Cause(ctx)
		}
	}
	l.mu.Unlock()
	l.leave(provider) // its turn came just now
	return context.Cause(ctx)
}

func (l *lanes) leave(provider string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := l.open[provider]
	if len(own.waiting) > 0 { // the place goes on to the next
		close(own.waiting[0])
		own.waiting = own.waiting[1:]
		return
	}
	if own.busy--; own.busy == 0 {
		delete(l.open, provider)
	}
}

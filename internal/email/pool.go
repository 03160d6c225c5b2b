package email

import (
	"context"
	"sync"
	"time"
)

// stuckShare is how many times MaxConns conversations there are at most, when all others are stuck.
const stuckShare = 4

// enter waits for a place: first among the mails of the same provider, then among all. Whoever is slow gives its place back before it leaves:
// a provider that hangs keeps its own mail waiting and nobody else's.
func (t *Transport) enter(ctx context.Context, provider string) (leave func(), err error) {
	if err := t.lanes.enter(ctx, provider, t.share(provider)); err != nil {
		return nil, err
	}
	for i, places := range []chan struct{}{t.all, t.slots} {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			if i > 0 {
				<-t.all
			}
			t.lanes.leave(provider)
			return nil, context.Cause(ctx)
		}
	}
	give := sync.OnceFunc(func() { <-t.slots })
	slow := time.AfterFunc(t.limit.Slow, give)
	return func() {
		slow.Stop()
		give()
		<-t.all
		t.lanes.leave(provider)
	}, nil
}

// takeIdle gives the connection that was used last, or nil.
func (t *Transport) takeIdle() (*conversation, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errTransportClosed
	}
	for n := len(t.idle); n > 0; n = len(t.idle) {
		c := t.idle[n-1]
		t.idle = t.idle[:n-1]
		if c.reaper.Stop() {
			return c, nil
		}
		// Its time was up just now: the reaper closes it.
	}
	return nil, nil
}

// release keeps a connection for the next mail, or hangs up.
func (t *Transport) release(c *conversation) {
	c.sent++
	if c.in.Buffered() > 0 { // the server said more than it was asked: its next reply would be taken for another's
		c.broken = true
	}
	t.mu.Lock()
	if t.closed || c.broken || c.sent >= t.mails {
		t.mu.Unlock()
		if c.broken {
			c.drop()
		} else {
			c.quit()
		}
		return
	}
	c.reaper = time.AfterFunc(t.limit.Idle, func() { t.reap(c) })
	t.idle = append(t.idle, c)
	t.mu.Unlock()
}

func (t *Transport) reap(c *conversation) {
	t.mu.Lock()
	for i, other := range t.idle {
		if other == c {
			t.idle = append(t.idle[:i], t.idle[i+1:]...)
			break
		}
	}
	t.mu.Unlock()
	c.quit()
}

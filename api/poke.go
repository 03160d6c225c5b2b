package api

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// pokeQueue wakes journeys behind the answer. It is bounded and holds each contact once; what does not fit is dropped,
// because the contact stays marked as pending in the database and the sweeper comes by. Its workers live only while
// there is work, so that nothing has to be started or stopped.
//
// A contact that is woken again and again waits a little longer each time: a storm of its events costs a handful of
// signals, and the first poke is as quick as ever.
type pokeQueue struct {
	poker   Poker
	metrics *metrics
	log     *slog.Logger
	mu      sync.Mutex
	queued  []string
	member  map[string]bool        // queued, or held back
	held    map[string]*time.Timer // those held back
	paces   map[string]pace        // of contacts that were woken lately
	workers int
	idle    *sync.Cond
}

// pace is when a contact was last woken, and how long the next time has to wait after that.
type pace struct {
	at  time.Time
	gap time.Duration
}

const (
	pokeMax     = 10_000
	pokeWorkers = 4
	pokeTimeout = 10 * time.Second
	pokeGap     = 100 * time.Millisecond // doubles with each poke of a storm
	pokeGapMax  = 2 * time.Second
)

func newPokeQueue(poker Poker, m *metrics, log *slog.Logger) *pokeQueue {
	q := &pokeQueue{poker: poker, metrics: m, log: log, member: map[string]bool{}, held: map[string]*time.Timer{}, paces: map[string]pace{}}
	q.idle = sync.NewCond(&q.mu)
	return q
}

// add never waits for anything but its own lock.
func (q *pokeQueue) add(contactIDs ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range contactIDs {
		switch {
		case q.member[id]:
		case len(q.queued) >= pokeMax:
			q.metrics.poke("dropped")
		default:
			q.member[id] = true
			if wait := q.wait(id); wait > 0 {
				q.held[id] = time.AfterFunc(wait, func() { q.release(id) })
				continue
			}
			q.queued = append(q.queued, id)
		}
	}
	q.hire()
}

// wait is how long a contact has to be held back.
func (q *pokeQueue) wait(id string) time.Duration {
	p, ok := q.paces[id]
	if !ok {
		return 0
	}
	return p.gap - time.Since(p.at)
}

// release queues a contact that was held back.
func (q *pokeQueue) release(id string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held[id] == nil {
		return // drained meanwhile
	}
	delete(q.held, id)
	q.queued = append(q.queued, id)
	q.hire()
}

// woken notes that a contact is poked now.
func (q *pokeQueue) woken(id string) {
	now, gap := time.Now(), pokeGap
	if p, ok := q.paces[id]; ok && now.Sub(p.at) < 2*p.gap {
		gap = min(2*p.gap, pokeGapMax)
	}
	if len(q.paces) >= pokeMax {
		for other, p := range q.paces {
			if now.Sub(p.at) > 2*p.gap {
				delete(q.paces, other)
			}
		}
		if len(q.paces) >= pokeMax {
			clear(q.paces)
		}
	}
	q.paces[id] = pace{now, gap}
}

func (q *pokeQueue) hire() {
	for q.workers < min(pokeWorkers, len(q.queued)) {
		q.workers++
		go q.work()
	}
}

func (q *pokeQueue) work() {
	for {
		id, ok := q.next()
		if !ok {
			return
		}
		q.poke(id)
	}
}

// next takes a contact, or retires the worker when there is none.
func (q *pokeQueue) next() (string, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queued) == 0 {
		q.queued = nil // lets go of what a burst has grown
		q.workers--
		q.idle.Broadcast()
		return "", false
	}
	id := q.queued[0]
	q.queued = q.queued[1:]
	// From here on a new event of the contact queues it again: this poke may be too early for it.
	delete(q.member, id)
	q.woken(id)
	return id, true
}

func (q *pokeQueue) poke(id string) {
	// Not the request's context: the request is over, or about to be.
	ctx, cancel := context.WithTimeout(context.Background(), pokeTimeout) //nolint:forbidigo // see above
	defer cancel()
	if err := q.poker.Poke(ctx, id); err != nil {
		q.metrics.poke("failed")
		q.log.WarnContext(ctx, "journey not woken, left to the sweeper", "contact_id", id, "error", err)
		return
	}
	q.metrics.poke("done")
}

// drain waits until all that is queued has been poked, or the context ends.
func (q *pokeQueue) drain(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock() // so that the call can't fall between the check and the Wait below
		defer q.mu.Unlock()
		q.idle.Broadcast()
	})
	defer stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, timer := range q.held {
		timer.Stop()
		delete(q.held, id)
		q.queued = append(q.queued, id)
	}
	q.hire()
	for q.workers > 0 && ctx.Err() == nil {
		q.idle.Wait()
	}
	return ctx.Err()
}

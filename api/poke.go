package api

import (
	"context"
	"sync"
	"time"
)

// pokeQueue wakes journeys behind the answer. It is bounded and holds each contact once; what does not fit is dropped,
// because the contact stays marked as pending in the database and the sweeper comes by. Its workers live only while
// there is work, so that nothing has to be started or stopped.
type pokeQueue struct {
	poker   Poker
	metrics *metrics
	mu      sync.Mutex
	queued  []string
	member  map[string]bool
	workers int
	idle    *sync.Cond
}

const (
	pokeMax     = 10_000
	pokeBatch   = 100
	pokeWorkers = 4
	pokeTimeout = 10 * time.Second
)

func newPokeQueue(poker Poker, m *metrics) *pokeQueue {
	q := &pokeQueue{poker: poker, metrics: m, member: map[string]bool{}}
	q.idle = sync.NewCond(&q.mu)
	return q
}

// add never blocks on anything but its own lock.
func (q *pokeQueue) add(contactIDs ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range contactIDs {
		switch {
		case q.member[id]:
		case len(q.queued) >= pokeMax:
			q.metrics.pokes.WithLabelValues("dropped").Inc()
		default:
			q.member[id] = true
			q.queued = append(q.queued, id)
			q.metrics.pokes.WithLabelValues("queued").Inc()
		}
	}
	for q.workers < pokeWorkers && q.workers*pokeBatch < len(q.queued) {
		q.workers++
		go q.work()
	}
}

func (q *pokeQueue) work() {
	for {
		batch := q.next()
		if batch == nil {
			return
		}
		q.poke(batch)
	}
}

// next takes a batch, or retires the worker when there is none.
func (q *pokeQueue) next() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queued) == 0 {
		q.workers--
		q.idle.Broadcast()
		return nil
	}
	n := min(pokeBatch, len(q.queued))
	batch := append([]string(nil), q.queued[:n]...)
	q.queued = append(q.queued[:0], q.queued[n:]...)
	for _, id := range batch {
		// From here on a new event of the contact queues it again: this poke may have been too early for it.
		delete(q.member, id)
	}
	return batch
}

func (q *pokeQueue) poke(batch []string) {
	// Not the request's context: the request is over, or about to be.
	ctx, cancel := context.WithTimeout(context.Background(), pokeTimeout)
	defer cancel()
	q.poker.Poke(ctx, batch)
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
	for q.workers > 0 && ctx.Err() == nil {
		q.idle.Wait()
	}
	return ctx.Err()
}

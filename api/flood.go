package api

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"throughline.dev/throughline/internal/fault"
)

// What one key may do by default, in one process. In flight is half of the store's connections, so that whoever floods
// leaves the other half to everybody else.
const (
	defaultIngestRate     = 50_000 // events a second
	defaultIngestInFlight = 8      // transactions at the same time
)

const (
	burstSeconds  = 2               // of the rate may come at once
	admitPatience = 2 * time.Second // how long a call waits for its turn
	waitersEach   = 16              // calls that wait, for each that may be in flight: their bodies are in memory
	maxRetryAfter = 60 * time.Second
)

// flood keeps one key from taking what all need: each key has a rate of events and a number of transactions of its own.
// A key that is over them is told when to come back, and the others don't notice.
type flood struct {
	rate     rate.Limit
	burst    int
	inFlight int
	patience time.Duration
	mu       sync.Mutex
	gates    map[string]*gate // by key id: only keys that exist have one
}

type gate struct {
	events  *rate.Limiter
	turns   chan struct{} // filled while a transaction runs
	waiting chan struct{} // filled while a call runs or waits
}

// newFlood makes the gates; what is zero has its default.
func newFlood(perSecond, inFlight int) *flood {
	if perSecond <= 0 {
		perSecond = defaultIngestRate
	}
	if inFlight <= 0 {
		inFlight = defaultIngestInFlight
	}
	// A full batch has to fit, however low the rate is.
	return &flood{rate: rate.Limit(perSecond), burst: max(perSecond*burstSeconds, maxTrackingItems), inFlight: inFlight,
		patience: admitPatience, gates: map[string]*gate{}}
}

func (f *flood) gate(keyID string) *gate {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.gates[keyID]
	if g == nil {
		g = &gate{events: rate.NewLimiter(f.rate, f.burst), turns: make(chan struct{}, f.inFlight),
			waiting: make(chan struct{}, f.inFlight*(1+waitersEach))}
		f.gates[keyID] = g
	}
	return g
}

// admit lets a call of some events in, or says when to come back. Who is let in calls release at the end.
func (f *flood) admit(ctx context.Context, keyID string, now time.Time, events int) (release func(), err error) {
	g := f.gate(keyID)
	select {
	case g.waiting <- struct{}{}:
	default:
		return nil, errFlooded(f.patience)
	}
	leave := func() { <-g.waiting }
	turn := g.events.ReserveN(now, max(events, 1)) // a call with nothing in it costs something, too
	if wait := turn.DelayFrom(now); wait > 0 {
		turn.CancelAt(now)
		leave()
		return nil, errFlooded(wait)
	}
	if err := g.turn(ctx, f.patience); err != nil {
		turn.CancelAt(now) // what wasn't let in doesn't count
		leave()
		return nil, err
	}
	return func() { <-g.turns; leave() }, nil
}

// turn waits for one of the transactions that the key may have.
func (g *gate) turn(ctx context.Context, patience time.Duration) error {
	select {
	case g.turns <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case g.turns <- struct{}{}:
		return nil
	case <-timer.C:
		return errFlooded(patience)
	case <-ctx.Done():
		return fmt.Errorf("wait for a turn: %w", ctx.Err())
	}
}

// floodedError says when to come back.
type floodedError struct {
	limited error
	after   time.Duration
}

func (e *floodedError) Error() string { return e.limited.Error() }
func (e *floodedError) Unwrap() error { return e.limited }

func errFlooded(after time.Duration) error {
	return &floodedError{after: after, limited: fault.New(fault.Limited, "too_many", "This key sends more than it may; come back after Retry-After.")}
}

// retryAfter is the header's value: whole seconds, at least one. SDKs parse an integer here, and wait that long.
func (e *floodedError) retryAfter() string {
	seconds := (min(e.after, maxRetryAfter) + time.Second - 1) / time.Second
	return strconv.Itoa(max(int(seconds), 1))
}

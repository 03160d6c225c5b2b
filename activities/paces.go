package activities

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"throughline.dev/throughline/internal/email"
)

const (
	paceEvery = time.Second
	// paceAhead is how much of its turns a process takes from PostgreSQL at a time: one round trip in two seconds, however much mail there is.
	paceAhead = 2 * time.Second
	// paceHorizon is how far ahead those that wait are told when to come back.
	paceHorizon = 15 * time.Minute
	// soonest is how long a mail waits at least that has no turn now.
	soonest = 250 * time.Millisecond
)

// Paces sees to it that each receiving provider gets its mail at its own speed: at the configured one, or at the one that it asked for. What
// may not go out now is not claimed, holds no connection and keeps nobody else's mail waiting. The turns are shared through PostgreSQL, for a
// provider counts what comes from us and not from one of our processes; who is not limited costs nothing at all.
type Paces struct {
	Source   PaceSource
	Policies *Policies // nil: nothing is configured
	Now      Clock
	Log      *slog.Logger

	mu     sync.Mutex
	slowed map[string]email.Pace
	limits map[string]email.ProviderLimit
	lanes  map[string]*paceLane
	kicked chan struct{}
}

// PaceSource keeps what providers asked for, and who has which turn.
type PaceSource interface {
	ListPaces(ctx context.Context) ([]email.Pace, error)
	// SlowPace notes that a provider has asked to slow down.
	SlowPace(ctx context.Context, provider string, observed, limit float64, d email.Delivery, now time.Time) (email.Pace, error)
	// LeaseTurns takes the next n turns of a provider, each gap after the one before; none while those of the horizon are taken.
	LeaseTurns(ctx context.Context, provider string, n int, gap time.Duration, horizon, now time.Time) (first time.Time, ok bool, err error)
}

// paceLane is what a process knows of the mail to one provider.
type paceLane struct {
	talking int // conversations under way
	minute  time.Time
	sent    [2]int // in this minute and in the one before
	asked   int    // mails that found no turn since turns were taken last
	next    time.Time
	left    int // turns, from next on, each gap after the one before
	gap     time.Duration
	hint    time.Time // what the last one that found none was told
	dry     time.Time // until then there are no turns to take
}

// try takes a turn for a mail, in memory alone: it is called under a contact's row lock. Without one it says when to come back.
func (p *Paces) try(address string) (wait time.Duration) {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	own := email.ProviderOf(address)
	if wait = p.tryLane(own, now); wait > 0 {
		return wait
	}
	if wait = p.tryLane(email.ProviderRelay, now); wait > 0 {
		p.giveBack(own, now)
	}
	return wait
}

func (p *Paces) tryLane(provider string, now time.Time) time.Duration {
	limit := p.limits[provider]
	lane := p.lanes[provider]
	if limit.Connections > 0 && lane != nil && lane.talking >= limit.Connections {
		return paceEvery
	}
	rate, limited := p.slowed[provider].Allowed(float64(limit.PerMinute), now)
	if !limited {
		return 0
	}
	if lane == nil {
		lane = p.lane(provider)
	}
	if lane.left > 0 && !lane.next.After(now) {
		lane.left--
		lane.next = lane.next.Add(lane.gap)
		return 0
	}
	lane.asked++
	if lane.left == 0 && !now.Before(lane.dry) {
		p.kick()
	}
	return lane.come(gapOf(rate), now)
}

// come tells when to come back: one gap after whoever was told before, so that those that wait don't all come at once.
func (l *paceLane) come(gap time.Duration, now time.Time) time.Duration {
	if l.hint.Before(now) {
		l.hint = now
		if l.left > 0 && l.next.After(now) {
			l.hint = l.next.Add(-gap)
		}
	}
	l.hint = l.hint.Add(gap)
	if ahead := l.hint.Sub(now); ahead <= paceHorizon {
		return max(soonest, ahead)
	}
	l.hint = now.Add(paceHorizon)
	return paceHorizon/2 + rand.N(paceHorizon/2) //nolint:gosec // spreads, and hides nothing
}

func (p *Paces) giveBack(provider string, now time.Time) {
	if _, limited := p.slowed[provider].Allowed(float64(p.limits[provider].PerMinute), now); limited {
		lane := p.lane(provider)
		lane.left++
		lane.next = lane.next.Add(-lane.gap)
	}
}

func gapOf(perMinute float64) time.Duration {
	return time.Duration(float64(time.Minute) / max(perMinute, 1e-3))
}

func (p *Paces) lane(provider string) *paceLane {
	if p.lanes == nil {
		p.lanes = map[string]*paceLane{}
	}
	if p.lanes[provider] == nil {
		p.lanes[provider] = &paceLane{}
	}
	return p.lanes[provider]
}

// begin notes that a conversation about a mail begins.
func (p *Paces) begin(address string) (end func(context.Context, email.Delivery)) {
	if p == nil {
		return func(context.Context, email.Delivery) {}
	}
	both := []string{email.ProviderOf(address), email.ProviderRelay}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, provider := range both {
		lane := p.lane(provider)
		lane.talking++
		lane.count(p.Now())
	}
	return func(ctx context.Context, d email.Delivery) {
		p.mu.Lock()
		for _, provider := range both {
			p.lane(provider).talking--
		}
		p.mu.Unlock()
		if provider, asks := d.AsksToSlowDown(address); asks {
			p.slow(ctx, provider, d)
		}
	}
}

func (l *paceLane) count(now time.Time) {
	if minute := now.Truncate(time.Minute); !minute.Equal(l.minute) {
		l.sent[1] = 0
		if minute.Sub(l.minute) == time.Minute {
			l.sent[1] = l.sent[0]
		}
		l.sent[0], l.minute = 0, minute
	}
	l.sent[0]++
}

// slow notes that a provider asked to slow down. Should that not be written down, this process knows it at least.
func (p *Paces) slow(ctx context.Context, provider string, d email.Delivery) {
	p.mu.Lock()
	lane, limit, before := p.lane(provider), float64(p.limits[provider].PerMinute), p.slowed[provider]
	observed := float64(max(lane.sent[0], lane.sent[1]))
	p.mu.Unlock()
	now := p.Now()
	pace, err := p.Source.SlowPace(ctx, provider, observed, limit, d, now)
	if err != nil {
		p.Log.Warn("slow-down not recorded", "provider", provider, "error", err.Error())
		before.Provider = provider
		pace = before.Slowed(observed, limit, d, now)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if pace.SlowDowns != before.SlowDowns {
		rate, _ := pace.At(now)
		p.Log.Info("a provider asked to slow down", "provider", provider, "code", d.Code, "mails_per_minute", math.Round(rate))
		lane.left = 0
	}
	p.learn(pace)
}

func (p *Paces) learn(pace email.Pace) {
	if p.slowed == nil {
		p.slowed = map[string]email.Pace{}
	}
	p.slowed[pace.Provider] = pace
}

// Connections is how many a provider gets at once; 0: nothing is configured.
func (p *Paces) Connections(provider string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limits[provider].Connections
}

// Run keeps what is known up to date until the context ends.
func (p *Paces) Run(ctx context.Context) {
	ticker := time.NewTicker(paceEvery)
	defer ticker.Stop()
	for {
		if err := p.refresh(ctx); err != nil && ctx.Err() == nil {
			p.Log.Warn("speed of providers not known", "error", err.Error())
		}
		for kicked := true; kicked; {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				kicked = false
			case <-p.kicks():
				if err := p.leaseAll(ctx); err != nil && ctx.Err() == nil {
					p.Log.Warn("no turns for providers", "error", err.Error())
					if pause(ctx, paceEvery) != nil {
						return
					}
				}
			}
		}
	}
}

func (p *Paces) kicks() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kicked == nil {
		p.kicked = make(chan struct{}, 1)
	}
	return p.kicked
}

func (p *Paces) kick() {
	select {
	case p.kicked <- struct{}{}:
	default: // it is awake, or does not run
	}
}

// refresh reads what is configured and what providers asked any of the processes, and takes turns for those that wait.
func (p *Paces) refresh(ctx context.Context) error {
	limits := map[string]email.ProviderLimit{}
	if p.Policies != nil {
		policy, err := p.Policies.find(ctx)
		if err != nil {
			return err
		}
		for _, l := range policy.Providers {
			limits[l.Provider] = l
		}
	}
	paces, err := p.Source.ListPaces(ctx)
	if err != nil {
		return fmt.Errorf("list paces: %w", err)
	}
	p.mu.Lock()
	p.limits, p.slowed = limits, map[string]email.Pace{}
	for _, pace := range paces {
		p.learn(pace)
	}
	now := p.Now()
	for provider, lane := range p.lanes {
		if lane.talking == 0 && lane.asked == 0 && now.Sub(lane.minute) > 2*time.Minute && lane.hint.Before(now) {
			delete(p.lanes, provider) // there are as many as there are domains in the world
		}
	}
	p.mu.Unlock()
	return p.leaseAll(ctx)
}

// leaseAll takes turns for every provider whose mail found none.
func (p *Paces) leaseAll(ctx context.Context) error {
	type want struct {
		provider string
		n        int
		gap      time.Duration
	}
	var wants []want
	now := p.Now()
	p.mu.Lock()
	for provider, lane := range p.lanes {
		rate, limited := p.slowed[provider].Allowed(float64(p.limits[provider].PerMinute), now)
		if !limited || lane.asked == 0 || lane.left > 0 || now.Before(lane.dry) {
			continue
		}
		gap := gapOf(rate)
		wants = append(wants, want{provider, max(1, min(lane.asked, int(paceAhead/gap))), gap})
	}
	p.mu.Unlock()
	for _, w := range wants {
		first, ok, err := p.Source.LeaseTurns(ctx, w.provider, w.n, w.gap, now.Add(paceAhead), now)
		if err != nil {
			return fmt.Errorf("lease turns: %w", err)
		}
		p.mu.Lock()
		lane := p.lane(w.provider)
		if !ok {
			lane.dry = now.Add(paceEvery / 2)
			p.mu.Unlock()
			continue
		}
		lane.next, lane.left, lane.gap, lane.asked = first, w.n, w.gap, max(0, lane.asked-w.n)
		p.mu.Unlock()
	}
	return nil
}

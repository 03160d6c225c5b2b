package activities

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
)

// turns is a source in memory; that PostgreSQL keeps to the same is tested there.
type turns struct {
	mu    sync.Mutex
	paces map[string]email.Pace
	next  map[string]time.Time
	asked int
}

func (s *turns) ListPaces(context.Context) ([]email.Pace, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []email.Pace
	for _, p := range s.paces {
		all = append(all, p)
	}
	return all, nil
}

func (s *turns) SlowPace(_ context.Context, provider string, observed, limit float64, d email.Delivery, now time.Time) (email.Pace, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.paces[provider]
	p.Provider = provider
	s.paces[provider] = p.Slowed(observed, limit, d, now)
	return s.paces[provider], nil
}

func (s *turns) LeaseTurns(_ context.Context, provider string, n int, gap time.Duration, horizon, now time.Time) (time.Time, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	first := s.next[provider]
	if first.Before(now) {
		first = now
	} else if !first.Before(horizon) {
		return time.Time{}, false, nil
	}
	s.next[provider] = first.Add(time.Duration(n) * gap)
	return first, true, nil
}

type policySource struct{ policy email.Policy }

func (s policySource) FindSendingPolicy(context.Context) (email.PolicyVersion, error) {
	return email.PolicyVersion{Document: s.policy}, nil
}

// clockwork is a clock that a test moves.
type clockwork struct{ now time.Time }

func (c *clockwork) time() time.Time { return c.now }

func newPaces(source *turns, clock *clockwork, limits ...email.ProviderLimit) *Paces {
	return &Paces{
		Source: source, Policies: &Policies{Source: policySource{email.Policy{Providers: limits}}, Now: clock.time}, Now: clock.time, Log: slog.New(slog.DiscardHandler),
	}
}

// Several processes, whose mail comes back when it was told to, send to a limited provider at its rate and not above it, use most of what it
// allows, and never let anybody else wait.
func TestPacesKeepToTheRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		source := &turns{paces: map[string]email.Pace{}, next: map[string]time.Time{}}
		clock := &clockwork{time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
		perMinute := rapid.SampledFrom([]int{6, 60, 600}).Draw(t, "per minute")
		processes := make([]*Paces, rapid.IntRange(1, 3).Draw(t, "processes"))
		for i := range processes {
			processes[i] = newPaces(source, clock, email.ProviderLimit{Provider: "gmail", PerMinute: perMinute})
			require.NoError(t, processes[i].refresh(t.Context()))
		}
		type waiting struct {
			process int
			at      time.Time
		}
		mails := make([]waiting, 3*perMinute)
		for i := range mails {
			mails[i] = waiting{rapid.IntRange(0, len(processes)-1).Draw(t, "process"), clock.now}
		}
		began, sent, last := clock.now, 0, clock.now
		for len(mails) > 0 && clock.now.Sub(began) < 20*time.Minute {
			for _, p := range processes {
				require.NoError(t, p.refresh(t.Context()))
			}
			var rest []waiting
			for _, m := range mails {
				if clock.now.Before(m.at) {
					rest = append(rest, m)
				} else if wait := processes[m.process].try("ana@gmail.com"); wait > 0 {
					rest = append(rest, waiting{m.process, clock.now.Add(wait)})
				} else {
					sent, last = sent+1, clock.now
				}
			}
			mails = rest
			require.Zero(t, processes[0].try("ana@acme.example"), "another provider waits for nobody")
			allowed := float64(perMinute)*clock.now.Sub(began).Minutes() + float64(len(processes))*max(1, float64(perMinute)/30) + 1
			require.LessOrEqual(t, float64(sent), allowed, "more than the rate")
			clock.now = clock.now.Add(time.Second)
		}
		require.Empty(t, mails)
		require.Less(t, last.Sub(began), 8*time.Minute, "three minutes of mail took too long")
	})
}

// A provider at a standstill lets nothing through but a mail a minute; the others' mail does not notice, and no turn of theirs is asked for.
func TestAStuckProviderHoldsUpNobody(t *testing.T) {
	t.Parallel()
	source := &turns{paces: map[string]email.Pace{}, next: map[string]time.Time{}}
	clock := &clockwork{time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	p := newPaces(source, clock)
	for range 12 { // again and again
		end := p.begin("ana@stuck.example")
		end(t.Context(), email.Delivery{Outcome: email.OutcomeDeferred, Phase: email.PhaseRcpt, Code: 421})
		clock.now = clock.now.Add(11 * time.Second)
	}
	require.NoError(t, p.refresh(t.Context()))
	through, others := 0, 0
	for range 600 {
		for range 10 {
			if p.try("ana@stuck.example") == 0 {
				through++
				p.begin("ana@stuck.example")(t.Context(), email.Delivery{Outcome: email.OutcomeDeferred, Phase: email.PhaseRcpt, Code: 421})
			}
		}
		if p.try("ana@gmail.com") == 0 {
			others++
		}
		clock.now = clock.now.Add(time.Second)
		require.NoError(t, p.refresh(t.Context()))
	}
	require.Equal(t, 600, others)
	require.Positive(t, through, "somebody looks whether it takes mail again")
	require.LessOrEqual(t, through, 40)
	require.Equal(t, paceHorizon, max(paceHorizon, p.try("ana@stuck.example")), "nobody is told to come back later than that")

	asked := source.asked
	require.NoError(t, p.refresh(t.Context()))
	p.try("ana@gmail.com")
	require.LessOrEqual(t, source.asked-asked, 1, "who is not limited costs nothing")
}

// What the relay says before it has heard a recipient is about all mail.
func TestTheRelayHoldsUpAll(t *testing.T) {
	t.Parallel()
	source := &turns{paces: map[string]email.Pace{}, next: map[string]time.Time{}}
	clock := &clockwork{time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	p := newPaces(source, clock, email.ProviderLimit{Provider: "acme.example", Connections: 2})
	require.NoError(t, p.refresh(t.Context()))
	first, second := p.begin("ana@acme.example"), p.begin("ana@acme.example")
	require.Positive(t, p.try("ana@acme.example"), "both of its connections are taken")
	require.Zero(t, p.try("ana@gmail.com"))
	first(t.Context(), email.Delivery{Outcome: email.OutcomeAccepted, Code: 250})
	require.Zero(t, p.try("ana@acme.example"))
	second(t.Context(), email.Delivery{Outcome: email.OutcomeDeferred, Phase: email.PhaseGreeting, Code: 421})
	require.Positive(t, p.try("ana@acme.example"))
	require.Positive(t, p.try("ana@gmail.com"))
	other := newPaces(source, clock)
	require.NoError(t, other.refresh(t.Context()))
	require.Positive(t, other.try("ana@gmail.com"), "another process knows it as well")
	clock.now = clock.now.Add(25 * time.Minute)
	require.Zero(t, p.try("ana@gmail.com"), "all is as before")
	var none *Paces
	require.Zero(t, none.try("ana@gmail.com"))
	none.begin("ana@gmail.com")(t.Context(), email.Delivery{})
}

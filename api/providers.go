package api

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"throughline.dev/throughline/internal/email"
)

// Provider is how fast mail goes to who takes it in.
type Provider struct {
	Provider      string     `json:"provider" doc:"gmail, outlook, yahoo and the like, or a domain; relay: the server that takes all of our mail."`
	PerMinute     int        `json:"per_minute,omitempty" doc:"Mails a minute that the sending policy allows; absent: as many as there are."`
	Connections   int        `json:"connections,omitempty" doc:"At once, of each process; absent: no limit of its own."`
	RatePerMinute *float64   `json:"rate_per_minute,omitempty" doc:"Mails a minute that go out now; absent: as many as there are."`
	Slowed        bool       `json:"slowed" doc:"It asked us to slow down and does not get all of its mail yet."`
	SlowedAt      *time.Time `json:"slowed_at,omitempty" doc:"When it asked last."`
	SlowDowns     int64      `json:"slow_downs" doc:"How often it asked, in the last 30 days at least."`
	Code          int        `json:"smtp_code,omitempty" doc:"What it answered then."`
	EnhancedCode  string     `json:"enhanced_code,omitempty"`
	Waiting       int64      `json:"waiting" doc:"Mails that wait for their turn."`
	Words         string     `json:"words" doc:"The same as a sentence."`
}

const providersDoc = "Those that have a limit, asked us to slow down, or have mail waiting; to all others mail goes as it comes. A provider that asks us to slow down " +
	"(421, 450/451/452 with 4.7.x, \"too many…\") gets half as many mails a minute, and then more by the minute, until all is as before."

func (s *server) providerRoutes() {
	handle(s, operation{id: "list-providers", method: http.MethodGet, path: "/v1/deliverability/providers", tag: "messages",
		summary: "List the speed of mail by receiving provider", doc: providersDoc, access: anyOf(ScopeRead, ScopeJourneys)}, s.listProviders)
}

func (s *server) listProviders(ctx context.Context, _ *struct{}) (*listOutput[Provider], error) {
	policy, err := s.Sending.FindSendingPolicy(ctx)
	if err != nil {
		return nil, fmt.Errorf("find sending policy: %w", err)
	}
	known, err := s.Sending.ListProviders(ctx, s.now())
	if err != nil {
		return nil, fmt.Errorf("list providers: %w", err)
	}
	limits := map[string]email.ProviderLimit{}
	for _, l := range policy.Document.Providers {
		limits[l.Provider] = l
		if !slices.ContainsFunc(known, func(p email.ProviderPace) bool { return p.Provider == l.Provider }) {
			known = append(known, email.ProviderPace{Pace: email.Pace{Provider: l.Provider}})
		}
	}
	all := make([]Provider, len(known))
	for i, p := range known {
		p.Limit = limits[p.Provider]
		all[i] = providerOf(p, s.now())
	}
	slices.SortFunc(all, func(a, b Provider) int { return cmp.Compare(a.Provider, b.Provider) })
	return listOf(Page[Provider]{Items: all}), nil
}

func providerOf(p email.ProviderPace, now time.Time) Provider {
	out := Provider{
		Provider: p.Provider, PerMinute: p.Limit.PerMinute, Connections: p.Limit.Connections, SlowedAt: p.SlowedAt, SlowDowns: p.SlowDowns,
		Code: p.Code, EnhancedCode: p.Enhanced, Waiting: p.Waiting, Words: p.Words(now),
	}
	if rate, limited := p.Allowed(float64(p.Limit.PerMinute), now); limited {
		rate = math.Round(rate*10) / 10
		out.RatePerMinute = &rate
	}
	_, out.Slowed = p.At(now)
	return out
}

// registerProviders shows how many providers want less mail, and how many mails wait for them. Which ones is a list without an end: see the API.
func (s *server) registerProviders() error {
	count := func(of func(email.ProviderPace) float64) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), clockLagTimeout) //nolint:forbidigo // a collector is given no context
			defer cancel()
			known, err := s.Sending.ListProviders(ctx, s.now())
			if err != nil {
				return math.NaN()
			}
			total := 0.0
			for _, p := range known {
				total += of(p)
			}
			return total
		}
	}
	for _, gauge := range []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "throughline_providers_slowed", Help: "Mail providers that asked us to slow down and do not get all of their mail yet."},
			count(func(p email.ProviderPace) float64 {
				if _, slow := p.At(s.now()); slow {
					return 1
				}
				return 0
			})),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "throughline_messages_waiting_for_provider", Help: "Mails that wait for their turn with a mail provider."},
			count(func(p email.ProviderPace) float64 { return float64(p.Waiting) })),
	} {
		if err := s.Options.Metrics.Register(gauge); err != nil {
			return fmt.Errorf("register metric: %w", err)
		}
	}
	return nil
}

package email_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
)

func TestProvidersOfAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"ana@gmail.com": "gmail", "ana@GoogleMail.com": "gmail", "ana@hotmail.co.uk": "outlook", "ana@yahoo.com.br": "yahoo", "ana@yahoo.fr": "yahoo",
		"ana@web.de": "gmx", "ana@acme.example": "acme.example", "ana@yahoo.evil.example": "yahoo.evil.example", `"a@b"@acme.example`: "acme.example", "nobody": "",
	} {
		require.Equal(t, want, email.ProviderOf(address), address)
	}
	for name, known := range map[string]bool{"gmail": true, "relay": true, "acme.example": true, "gmail.com": false, "Acme.example": false, "nobody": false, "a b.example": false, "": false} {
		require.Equal(t, known, email.IsProvider(name), name)
	}
}

func TestWhoAsksToSlowDown(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		phase, enhanced, reply, want string
		code                         int
	}{
		{"greeting", "4.3.2", "too many connections", email.ProviderRelay, 421},
		{"mail", "4.7.1", "slow down", email.ProviderRelay, 450},
		{"rcpt", "4.7.1", "greylisted", "gmail", 450},
		{"rcpt", "4.7.28", "unusual rate", "gmail", 421},
		{"dot", "4.7.0", "", "gmail", 451},
		{"data", "4.5.3", "Too many recipients", "gmail", 452},
		{"rcpt", "4.2.2", "mailbox full", "", 452},
		{"rcpt", "4.2.1", "", "", 450},
		{"dot", "5.7.1", "too many complaints", "", 550},
		{"dot", "2.0.0", "too many thanks", "", 250},
		{"dot", "", "", "", 0},
	} {
		got, asks := email.Delivery{Phase: tc.phase, Code: tc.code, Enhanced: tc.enhanced, Reply: tc.reply}.AsksToSlowDown("ana@gmail.com")
		require.Equal(t, tc.want != "", asks, "%+v", tc)
		require.Equal(t, tc.want, got, "%+v", tc)
	}
}

// A provider that asks gets half, however many conversations hear it at once, and in twenty minutes of quiet all of its mail again; it is never
// given up.
func TestPacesSlowDownAndRecover(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		limit := rapid.SampledFrom([]float64{0, 0, 30, 6000}).Draw(t, "limit")
		observed := rapid.Float64Range(0, 10_000).Draw(t, "observed")
		var p email.Pace
		for range rapid.IntRange(1, 30).Draw(t, "requests") {
			before, slow := p.At(now)
			if !slow {
				before = max(observed, 60)
				if limit > 0 {
					before = limit
				}
			}
			p = p.Slowed(observed, limit, email.Delivery{Code: 421}, now)
			after, slow := p.At(now)
			require.True(t, slow || after <= 1)
			require.InDelta(t, max(1, before/2), after, 1e-9)
			again := p.Slowed(observed, limit, email.Delivery{Code: 421}, now.Add(5*time.Second))
			require.Equal(t, p, again, "what else was under way asks for the same")
			last := after
			for range rapid.IntRange(1, 5).Draw(t, "minutes") {
				now = now.Add(time.Minute)
				rate, slow := p.At(now)
				require.GreaterOrEqual(t, rate, last, "it only gets more while nobody asks")
				require.InDelta(t, last+p.Ceiling/20, rate, 1e-6)
				last = rate
				if allowed, limited := p.Allowed(limit, now); limited && limit > 0 {
					require.LessOrEqual(t, allowed, limit)
				}
				_ = slow
			}
		}
		_, slow := p.At(now.Add(20 * time.Minute))
		require.False(t, slow)
		rate, limited := p.Allowed(limit, now.Add(20*time.Minute))
		require.Equal(t, limit > 0, limited)
		require.InDelta(t, limit, rate, 0)
	})
}

func TestPolicyLimitsProviders(t *testing.T) {
	t.Parallel()
	var p email.Policy
	require.NoError(t, json.Unmarshal([]byte(`{"caps":[],"providers":[{"provider":"gmail","per_minute":600,"connections":4},{"provider":"acme.example","connections":1}]}`), &p))
	require.Equal(t, []email.ProviderLimit{{Provider: "gmail", PerMinute: 600, Connections: 4}, {Provider: "acme.example", Connections: 1}}, p.Providers)
	back, err := json.Marshal(p)
	require.NoError(t, err)
	var again email.Policy
	require.NoError(t, json.Unmarshal(back, &again))
	require.Equal(t, p, again)
	_, problems := email.PolicyDocument{Providers: []email.ProviderLimitDocument{{Provider: "gmail.com"}, {Provider: "gmail", PerMinute: -1}, {Provider: "gmail", Connections: 1001}}}.Read()
	codes := []string{}
	for _, problem := range problems {
		codes = append(codes, problem.Path+" "+problem.Code)
	}
	require.Equal(t, []string{"/providers/0/provider unknown_provider", "/providers/1/per_minute out_of_range", "/providers/2/provider provider_twice", "/providers/2/connections out_of_range"}, codes)
}

// Servers that hang keep nobody else's mail waiting: one provider never has all connections, and what is stuck gives its place back.
func TestStuckProvidersKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{phase: "rcpt", do: "hang", to: "stuck"})
	limits := soon()
	limits.Command, limits.Slow = time.Minute, 50*time.Millisecond
	tr := transport(t, email.Options{URL: server.url("smtp"), MaxConns: 4, MaxMails: 1, PerProvider: func(string) int { return 3 }, Timeouts: limits})
	done := make(chan email.Delivery, 32)
	hang := func(domain string, n int) {
		for range n {
			go func() {
				e := envelope()
				e.To = "ana@" + domain
				done <- tr.Send(context.Background(), e)
			}()
		}
	}
	stuck := func(n int) func() bool {
		return func() bool { return strings.Count(strings.Join(server.said(), "\n"), "RCPT TO:<ana@stuck") == n }
	}
	hang("stuck1.example", 8)
	require.Eventually(t, stuck(3), 10*time.Second, time.Millisecond, "three of them at once, and no fourth while they hang")
	require.Equal(t, email.OutcomeAccepted, tr.Send(t.Context(), envelope()).Outcome)
	hang("stuck2.example", 8)
	require.Eventually(t, stuck(6), 10*time.Second, time.Millisecond)
	for range 20 { // four places are taken by six that hang: those give them back
		require.Equal(t, email.OutcomeAccepted, tr.Send(t.Context(), envelope()).Outcome)
	}
	require.True(t, stuck(6)())
	server.close()
	for range 16 {
		require.Equal(t, email.OutcomeNotSent, (<-done).Outcome)
	}
}

// A mail that gives up waiting for its place takes nobody else's.
func TestWhoGivesUpTakesNoPlace(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{phase: "rcpt", do: "hang", to: "stuck"})
	limits := soon()
	limits.Command, limits.Slow = time.Minute, time.Millisecond
	tr := transport(t, email.Options{URL: server.url("smtp"), MaxConns: 2, PerProvider: func(string) int { return 1 }, Timeouts: limits})
	e := envelope()
	e.To = "ana@stuck.example"
	done := make(chan email.Delivery, 1)
	go func() { done <- tr.Send(context.Background(), e) }()
	require.Eventually(t, func() bool { return strings.Contains(strings.Join(server.said(), "\n"), "stuck") }, 10*time.Second, time.Millisecond)
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		require.Equal(t, email.OutcomeNotSent, tr.Send(ctx, e).Outcome)
		cancel()
	}
	server.hangUp()
	require.Equal(t, email.OutcomeNotSent, (<-done).Outcome)
	go func() { done <- tr.Send(context.Background(), e) }()
	require.Eventually(t, func() bool { return strings.Count(strings.Join(server.said(), "\n"), "RCPT TO:<ana@stuck") == 2 }, 10*time.Second, time.Millisecond, "the place is free again")
	server.close()
	require.Equal(t, email.OutcomeNotSent, (<-done).Outcome)
}

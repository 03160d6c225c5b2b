package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type addresses struct {
	mu      sync.Mutex
	due     []DueAddress
	asked   map[string]int
	atOnce  int
	most    int
	settled []DueAddress
	failed  error
}

func (a *addresses) DueAddresses(context.Context, time.Time, int) ([]DueAddress, error) {
	return a.due, nil
}

func (a *addresses) LookUpDomain(ctx context.Context, domain string, _ time.Time) error {
	if _, bounded := ctx.Deadline(); !bounded {
		return errors.New("a question without a deadline")
	}
	a.mu.Lock()
	a.asked[domain]++
	a.atOnce++
	a.most = max(a.most, a.atOnce)
	a.mu.Unlock()
	defer func() { a.mu.Lock(); a.atOnce--; a.mu.Unlock() }()
	return a.failed
}

func (a *addresses) SettleAddresses(_ context.Context, due []DueAddress, _ time.Time) error {
	a.settled = append(a.settled, due...)
	return nil
}

func TestVerifierAsksForEachDomainOnce(t *testing.T) {
	t.Parallel()
	source := &addresses{asked: map[string]int{}}
	for i := range 100 {
		source.due = append(source.due, DueAddress{ContactID: string(rune('a' + i)), Domain: string(rune('a'+i%40)) + ".net"})
	}
	source.due = append(source.due, DueAddress{ContactID: "without"})
	v := Verifier{Source: source, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	n, err := v.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, 101, n)
	require.Len(t, source.asked, 40)
	for domain, times := range source.asked {
		require.Equal(t, 1, times, domain)
	}
	require.LessOrEqual(t, source.most, verifyAtOnce)
	require.Equal(t, source.due, source.settled)

	source.failed, source.settled = errors.New("no database"), nil
	_, err = v.Look(t.Context())
	require.ErrorContains(t, err, "no database")
	require.Empty(t, source.settled, "what was not looked up is not settled")
}

package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// DueAddress is a contact whose address is to be verified; without a domain there is nothing to look up.
type DueAddress struct {
	ContactID, Domain string
}

// AddressSource finds addresses to verify, looks domains up, and keeps what was found.
type AddressSource interface {
	DueAddresses(ctx context.Context, now time.Time, limit int) ([]DueAddress, error)
	// LookUpDomain asks DNS, unless the answer is known, and remembers it.
	LookUpDomain(ctx context.Context, domain string, now time.Time) error
	// SettleAddresses gives the contacts their verdicts by what is remembered.
	SettleAddresses(ctx context.Context, due []DueAddress, now time.Time) error
}

// Verifier looks up whether the domains of new addresses take mail, so that events are taken in without waiting for DNS.
type Verifier struct {
	Source AddressSource
	Every  time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	verifyPage     = 200
	verifyAtOnce   = 16              // questions to DNS
	verifyPatience = 5 * time.Second // for one
)

// Run verifies until the context ends.
func (v *Verifier) Run(ctx context.Context) {
	ticker := time.NewTicker(v.Every)
	defer ticker.Stop()
	for {
		n, err := v.Look(ctx)
		if err != nil && ctx.Err() == nil {
			v.Log.Warn("addresses not verified yet", "error", err.Error())
		}
		if err == nil && n == verifyPage {
			continue // there are more
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Look verifies what is due, a page at most, and tells how many there were.
func (v *Verifier) Look(ctx context.Context) (int, error) {
	now := v.Now()
	due, err := v.Source.DueAddresses(ctx, now, verifyPage)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	if err := v.lookUp(ctx, due, now); err != nil {
		return 0, err
	}
	if err := v.Source.SettleAddresses(ctx, due, now); err != nil {
		return 0, fmt.Errorf("settle addresses: %w", err)
	}
	return len(due), nil
}

// lookUp asks for each domain once, for a few at the same time.
func (v *Verifier) lookUp(ctx context.Context, due []DueAddress, now time.Time) error {
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
		failed error
	)
	slots, asked := make(chan struct{}, verifyAtOnce), map[string]bool{"": true}
	for _, address := range due {
		if asked[address.Domain] {
			continue
		}
		asked[address.Domain] = true
		slots <- struct{}{}
		asking.Go(func() {
			defer func() { <-slots }()
			asking, cancel := context.WithTimeout(ctx, verifyPatience)
			defer cancel()
			if err := v.Source.LookUpDomain(asking, address.Domain, now); err != nil {
				mu.Lock()
				failed = fmt.Errorf("look up a domain: %w", err)
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	return failed
}

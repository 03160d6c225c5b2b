package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/integration"
)

const lmtpScheme = "lmtp://"

// checkReturned looks at where mail returns to.
func (c *config) checkReturned() error {
	var mistakes []error
	if c.BounceAddress != "" {
		if _, err := email.NewBounceAddresses(c.BounceAddress, nil); err != nil {
			mistakes = append(mistakes, fmt.Errorf("BOUNCE_ADDRESS: %w", err))
		}
	}
	if _, err := c.signers(); err != nil {
		mistakes = append(mistakes, err)
	}
	if _, err := integration.NewIntake(c.Providers, integration.Options{}, nil, nil); err != nil {
		mistakes = append(mistakes, err)
	}
	if c.BounceListen == "" {
		return errors.Join(mistakes...)
	}
	if _, _, err := net.SplitHostPort(strings.TrimPrefix(c.BounceListen, lmtpScheme)); err != nil {
		mistakes = append(mistakes, errors.New("BOUNCE_LISTEN is an address such as 0.0.0.0:25, or lmtp://127.0.0.1:24"))
	}
	if c.BounceAddress == "" {
		mistakes = append(mistakes, errors.New("BOUNCE_LISTEN needs BOUNCE_ADDRESS: it takes mail to that address"))
	}
	return errors.Join(mistakes...)
}

// bounceKey makes the key that signs bounce addresses. The database keeps it: mail returns long after a restart.
func (p *process) bounceKey(ctx context.Context) error {
	if p.config.BounceAddress == "" {
		return nil
	}
	key, err := p.store.Secret(ctx, "bounce", randomKey)
	if err != nil {
		return fmt.Errorf("bounce key: %w", err)
	}
	addresses, err := email.NewBounceAddresses(p.config.BounceAddress, key)
	p.bounces = &addresses
	return err
}

// sender is the envelope sender of a message.
func (p *process) sender(messageID string) string {
	if p.bounces != nil {
		if address, err := p.bounces.Of(messageID); err == nil {
			return address
		}
	}
	from := p.config.from()
	return from.Address
}

// listenReturned listens for mail that comes back.
func (p *process) listenReturned(ctx context.Context) (func(context.Context) error, error) {
	address, lmtp := strings.CutPrefix(p.config.BounceListen, lmtpScheme)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("returned mail can't be taken on %s (set BOUNCE_LISTEN to another address): %w", address, err)
	}
	returned := &email.Listener{
		Addresses: *p.bounces, LMTP: lmtp, Now: time.Now, Log: p.log.With("part", "returned mail"),
		Take: func(ctx context.Context, reports []email.Report) error {
			return p.store.TakeReports(ctx, time.Now(), reports)
		},
	}
	return func(ctx context.Context) error { return returned.Serve(ctx, listener) }, nil
}

// intake takes what mail providers report.
func (p *process) intake() (*integration.Intake, error) {
	return integration.NewIntake(p.config.Providers, integration.Options{AllowPrivate: p.config.AllowPrivate}, p.store.TakeReports, p.now)
}

// providerHeaders make the providers that are turned on tell our message's id in their reports.
func (c *config) providerHeaders() func(messageID string) [][2]string {
	var on []integration.Provider
	for _, provider := range integration.Providers() {
		if c.Providers[provider.Env] != "" && provider.Header != nil {
			on = append(on, provider)
		}
	}
	return func(messageID string) [][2]string {
		var headers [][2]string
		for _, provider := range on {
			name, value := provider.Header(messageID)
			headers = append(headers, [2]string{name, value})
		}
		return headers
	}
}

package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/worker"
)

// resolver asks the DNS server of the configuration, or those of the machine.
func (c *config) resolver() *net.Resolver {
	if c.DNSServer == "" {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, c.DNSServer)
	}}
}

// addressPort verifies addresses with what the store remembers of their domains.
type addressPort struct {
	store *store.Store
	dns   email.Resolver
	now   func() time.Time
}

// savePatience is for keeping an answer, or that there was none in time.
const savePatience = 5 * time.Second

// DueAddresses converts types and nothing else.
func (p addressPort) DueAddresses(ctx context.Context, now time.Time, limit int) ([]worker.DueAddress, error) {
	rows, err := p.store.DueAddresses(ctx, now, limit)
	due := make([]worker.DueAddress, len(rows))
	for i, row := range rows {
		due[i] = worker.DueAddress(row)
	}
	return due, err //nolint:wrapcheck // converts types and nothing else
}

// LookUpDomain asks DNS for a domain that nothing is known of.
func (p addressPort) LookUpDomain(ctx context.Context, domain string, now time.Time) error {
	_, err := p.lookUp(ctx, domain, now)
	return err
}

func (p addressPort) lookUp(ctx context.Context, domain string, now time.Time) (email.MailDomain, error) {
	known, err := p.store.MailDomains(ctx, []string{domain}, now)
	if err != nil {
		return email.DomainUnknown, fmt.Errorf("find mail domain: %w", err)
	}
	if state, there := known[domain]; there {
		return state, nil
	}
	state := email.LookUpMailDomain(ctx, p.dns, domain)
	saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), savePatience) // DNS may have used up the time
	defer cancel()
	return p.store.SaveMailDomain(saving, domain, state, now) //nolint:wrapcheck // says what it was about
}

// SettleAddresses gives verdicts.
func (p addressPort) SettleAddresses(ctx context.Context, due []worker.DueAddress, now time.Time) error {
	var contacts, domains []string
	for _, address := range due {
		contacts, domains = append(contacts, address.ContactID), append(domains, address.Domain)
	}
	known, err := p.store.MailDomains(ctx, domains, now)
	if err != nil {
		return fmt.Errorf("find mail domains: %w", err)
	}
	return p.store.SettleAddresses(ctx, contacts, known, now) //nolint:wrapcheck // as above
}

// LookUp verifies the address of one contact, before its first mail.
func (p addressPort) LookUp(ctx context.Context, contactID string) error {
	contact, err := p.store.FindContact(ctx, contactID)
	if err != nil {
		return err //nolint:wrapcheck // as above
	}
	domain, now := email.DomainOf(contact.Email), p.now()
	if domain == "" {
		return nil
	}
	state, err := p.lookUp(ctx, domain, now)
	if err != nil {
		return err
	}
	saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), savePatience)
	defer cancel()
	return p.store.SettleAddresses(saving, []string{contactID}, map[string]email.MailDomain{domain: state}, now) //nolint:wrapcheck // as above
}

// verify looks up the domains of new addresses.
func (p *process) verify(ctx context.Context) error {
	v := worker.Verifier{Source: p.addresses(), Every: p.config.VerifyEvery, Now: p.now, Log: p.log.With("part", "verifier")}
	v.Run(ctx)
	return nil
}

func (p *process) addresses() addressPort {
	return addressPort{store: p.store, dns: p.config.resolver(), now: p.now}
}

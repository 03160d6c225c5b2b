package email

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"
)

// MailDomain is what DNS says about a domain's mail.
type MailDomain string

// The states of a domain. What DNS could not say (a time-out, a server that fails) is unknown, and never speaks against an address.
const (
	DomainUnknown   MailDomain = "unknown"
	DomainTakesMail MailDomain = "mail"
	DomainNone      MailDomain = "no_mx"
	DomainRefuses   MailDomain = "null_mx"
)

// Resolver asks DNS. A *net.Resolver is one.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// LookUpMailDomain asks DNS whether a domain takes mail: it has mail servers, or else an address of its own (RFC 5321, section 5.1). No mail
// server is ever asked: that harms who asks.
func LookUpMailDomain(ctx context.Context, dns Resolver, domain string) MailDomain {
	if state, ok := reservedDomain(domain); ok {
		return state
	}
	name := domain + "." // as it is, without the machine's search list
	servers, err := dns.LookupMX(ctx, name)
	if len(servers) > 0 { // beside an error, too: then one of several names was malformed
		if slicesAllNull(servers) {
			return DomainRefuses
		}
		return DomainTakesMail
	}
	if !isNotFound(err) {
		return DomainUnknown
	}
	addresses, err := dns.LookupNetIP(ctx, "ip", name)
	switch {
	case len(addresses) > 0:
		return DomainTakesMail
	case isNotFound(err):
		return DomainNone
	}
	return DomainUnknown
}

// slicesAllNull tells whether all that a domain names is the root, which is no server.
func slicesAllNull(servers []*net.MX) bool {
	for _, server := range servers {
		if server.Host != "." && server.Host != "" {
			return false
		}
	}
	return true
}

func isNotFound(err error) bool {
	var failed *net.DNSError
	return errors.As(err, &failed) && failed.IsNotFound
}

// reservedDomain knows the domains that nobody asks DNS about (RFC 6761), and those within a company.
func reservedDomain(domain string) (MailDomain, bool) {
	ending := domain[strings.LastIndexByte(domain, '.')+1:]
	switch ending {
	case "invalid":
		return DomainNone, true
	case "test", "example", "localhost", "local", domain:
		return DomainUnknown, true
	}
	return "", false
}

// GoodFor is how long an answer about a domain is believed: one that speaks against its addresses not for long, one that is none hardly.
func (d MailDomain) GoodFor() time.Duration {
	switch d {
	case DomainTakesMail:
		return 30 * 24 * time.Hour
	case DomainNone, DomainRefuses:
		return 12 * time.Hour
	case DomainUnknown:
	}
	return time.Hour
}

// NextLook is when an address at the domain is looked at again by itself. What nobody answers for is not worth a write each hour.
func (d MailDomain) NextLook(now time.Time) time.Time {
	return now.Add(max(d.GoodFor(), 24*time.Hour))
}

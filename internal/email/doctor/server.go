package doctor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"throughline.dev/throughline/internal/email"
)

const (
	sourcePTR    = "https://support.google.com/a/answer/81126#ip"
	sourceTLS    = "https://www.rfc-editor.org/rfc/rfc3207"
	sourceBounce = "https://www.rfc-editor.org/rfc/rfc5321#section-5.1"
	certificate  = 21 * 24 * time.Hour // when somebody should look after the next one
)

func answeredBy(err error) bool {
	var failed *net.DNSError
	return err == nil || errors.As(err, &failed) && failed.IsNotFound
}

// ptr looks whether each address that sends has a name, and the name that address.
func (c *Checkup) ptr(ctx context.Context) []Finding {
	if len(c.Setup.IPs) == 0 {
		return []Finding{{Check: CheckPTR, Result: Warn, About: "sending addresses", Found: "It is not known from which address mail reaches providers.", Fix: "Say it: SENDING_IPS.", Source: sourcePTR}}
	}
	var out []Finding
	for _, ip := range c.Setup.IPs {
		out = append(out, c.named(ctx, ip))
	}
	return out
}

func (c *Checkup) named(ctx context.Context, ip netip.Addr) Finding {
	ctx, cancel := context.WithTimeout(ctx, 2*lookPatience)
	defer cancel()
	f := Finding{Check: CheckPTR, Result: Fail, About: ip.String(), Source: sourcePTR}
	if c.Setup.IPsGuessed {
		f.Result = Warn // the mail server's own address; it may send from others
	}
	names, err := c.DNS.LookupAddr(ctx, ip.String())
	if len(names) == 0 {
		if !answeredBy(err) {
			return silent(CheckPTR, ip.String(), sourcePTR)
		}
		f.Found, f.Fix = "The address has no name.", "Let whoever owns the address (your host) give it one that leads back to it."
		f.Record = &Record{Name: ip.String(), Type: "PTR", Value: "mail." + organisation(domainOf(c.Setup.From))}
		return f
	}
	for _, name := range names {
		back, _ := c.DNS.LookupNetIP(ctx, "ip", name)
		if slices.ContainsFunc(back, func(a netip.Addr) bool { return a.Unmap() == ip.Unmap() }) {
			f.Result, f.Found = Pass, "The address is called "+strings.TrimSuffix(name, ".")+", and that name leads back to it."
			return f
		}
	}
	f.Found = "The address is called " + strings.TrimSuffix(names[0], ".") + ", but that name does not lead back to it."
	f.Fix = "Let the name have the address " + ip.String() + ", or the address another name."
	return f
}

// tls looks at the conversation with the mail server.
func (c *Checkup) tls(now time.Time) func(context.Context) []Finding {
	return func(context.Context) []Finding {
		s := c.Setup.Server
		f := Finding{Check: CheckTLS, Result: Fail, About: s.Address, Source: sourceTLS}
		left := s.CertificateUntil.Sub(now)
		switch {
		case s.Err != nil:
			f.Found, f.Fix = fmt.Sprintf("The mail server can't be used: %s, while it came to %s.", s.Err, s.Phase), "Look at SMTP_URL, and at the server's certificate."
		case !s.Secure && s.Loopback:
			f.Result, f.Found, f.Fix = Warn, "Mail goes to a server on this machine without TLS.", "In production, look at the server that hands it on."
		case !s.Secure:
			f.Found, f.Fix, f.Source = "The mail server takes mail without TLS: it can be read on the way.", "Write SMTP_URL as smtp+starttls:// or smtps://.", sourceGoogle
		case s.TLSVersion < tls.VersionTLS12:
			f.Found, f.Fix = tls.VersionName(s.TLSVersion)+" is outdated.", "Let the mail server speak TLS 1.2 or newer."
		case left < certificate:
			f.Result, f.Found, f.Fix = Warn, fmt.Sprintf("The mail server's certificate ends in %d days.", int(left.Hours()/24)), "Renew it."
		default:
			f.Result, f.Found = Pass, fmt.Sprintf("Mail goes out with %s, and the certificate is good for %d days.", tls.VersionName(s.TLSVersion), int(left.Hours()/24))
		}
		return []Finding{f}
	}
}

// bounces looks whether mail can return.
func (c *Checkup) bounces(ctx context.Context) []Finding {
	domain := domainOf(c.Setup.Envelope)
	f := Finding{Check: CheckBounces, Result: Fail, About: domain, Source: sourceBounce}
	ctx, cancel := context.WithTimeout(ctx, 2*lookPatience)
	defer cancel()
	switch email.LookUpMailDomain(ctx, c.DNS, domain) {
	case email.DomainNone, email.DomainRefuses:
		f.Found, f.Fix = "Mail can't return: the domain takes none. Some servers refuse mail from such a domain.", "Let a server take its mail: the one that listens at BOUNCE_LISTEN."
		f.Record = &Record{Name: domain, Type: "MX", Value: "10 " + "<the name of that server>"}
	case email.DomainUnknown:
		return []Finding{silent(CheckBounces, domain, sourceBounce)}
	case email.DomainTakesMail:
		f.Result, f.Found = Pass, "Mail can return."
		if !c.Setup.OwnBounces {
			f.Result, f.Found, f.Fix = Warn, "Mail returns to the sender's own address, where nobody learns from it.", "Set BOUNCE_ADDRESS, or let your mail provider report (WEBHOOK_…)."
		}
	}
	return []Finding{f}
}

package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"blitiri.com.ar/go/spf"
)

const (
	sourceSPF       = "https://www.rfc-editor.org/rfc/rfc7208"
	sourceSPFLookup = "https://www.rfc-editor.org/rfc/rfc7208#section-4.6.4"
	spfLookups      = 10 // beyond, receivers treat the record as broken
	spfNearly       = 8
	maxSPFDepth     = 20
)

// spf looks at the domain of the envelope: that is the one that receivers ask.
func (c *Checkup) spf(ctx context.Context) []Finding {
	domain := domainOf(c.Setup.Envelope)
	base := Finding{Check: CheckSPF, Result: Fail, About: domain, Source: sourceSPF}
	records, answered := c.texts(ctx, domain, "v=spf1")
	switch {
	case !answered:
		return []Finding{silent(CheckSPF, domain, sourceSPF)}
	case len(records) == 0:
		base.Found, base.Fix = "There is no SPF record.", "Publish one that names who sends for the domain."
		base.Record = &Record{Name: domain, Type: "TXT", Value: "v=spf1 " + c.senders() + " -all"}
		return []Finding{base}
	case len(records) > 1:
		base.Found = fmt.Sprintf("There are %d SPF records: receivers then take none.", len(records))
		base.Fix = "Put them into one record and delete the others."
		return []Finding{base}
	}
	return []Finding{c.spfEnding(base, records[0]), c.spfLookups(ctx, base, domain), c.spfSender(ctx, base, domain, records[0])}
}

// spfEnding looks at what is said of everybody else.
func (c *Checkup) spfEnding(f Finding, record string) Finding {
	lower := " " + strings.ToLower(record)
	switch {
	case strings.Contains(lower, " +all") || strings.HasSuffix(lower, " all"):
		f.Found, f.Fix = "The SPF record lets everybody send for the domain.", "End it in -all."
		f.Record = &Record{Name: f.About, Type: "TXT", Value: strings.NewReplacer(" +all", " -all", " all", " -all").Replace(record)}
	case strings.Contains(lower, " -all"), strings.Contains(lower, " ~all"), strings.Contains(lower, " redirect="):
		f.Result, f.Found = Pass, "The SPF record says who sends, and that nobody else does."
	default:
		f.Result, f.Found, f.Fix = Warn, "The SPF record says nothing of those that it does not name.", "End it in -all."
		f.Record = &Record{Name: f.About, Type: "TXT", Value: strings.TrimSuffix(record, " ?all") + " -all"}
	}
	return f
}

// spfLookups counts what a receiver has to look up.
func (c *Checkup) spfLookups(ctx context.Context, f Finding, domain string) Finding {
	n := c.countLookups(ctx, domain, 0)
	f.Source = sourceSPFLookup
	f.Found = fmt.Sprintf("The SPF record takes %d look-ups of the %d that receivers make.", n, spfLookups)
	switch {
	case n > spfLookups:
		f.Fix = "Receivers take the record for broken. Leave out services that send no more, and name addresses (ip4:, ip6:) in place of names."
	case n >= spfNearly:
		f.Result, f.Fix = Warn, "The next service that is added may break it: leave out services that send no more."
	default:
		f.Result = Pass
	}
	return f
}

// countLookups counts the terms that cost one, in all records that belong to it.
func (c *Checkup) countLookups(ctx context.Context, domain string, depth int) int {
	records, _ := c.texts(ctx, domain, "v=spf1")
	if len(records) != 1 || depth > maxSPFDepth {
		return 0
	}
	n := 0
	for _, term := range strings.Fields(strings.ToLower(records[0]))[1:] {
		term = strings.TrimLeft(term, "+-~?")
		name, value, _ := strings.Cut(term, ":")
		if to, ok := strings.CutPrefix(term, "redirect="); ok {
			name, value = "include", to
		}
		name, _, _ = strings.Cut(name, "/")
		switch name {
		case "include":
			n += 1 + c.countLookups(ctx, value, depth+1)
		case "a", "mx", "ptr", "exists":
			n++
		}
		if n > 2*maxSPFDepth {
			return n // far beyond what anybody takes: also one that includes itself
		}
	}
	return n
}

// spfSender looks whether the record names who sends.
func (c *Checkup) spfSender(ctx context.Context, f Finding, domain, record string) Finding {
	if len(c.Setup.IPs) == 0 {
		f.Result, f.Found, f.Fix = Warn, "It is not known from which address mail reaches providers.", "Say it: SENDING_IPS."
		return f
	}
	for _, ip := range c.Setup.IPs {
		ctx, cancel := context.WithTimeout(ctx, 2*lookPatience)
		result, err := spf.CheckHostWithSender(net.IP(ip.AsSlice()), domain, "bounce@"+domain, spf.WithResolver(c.DNS), spf.WithContext(ctx))
		cancel()
		switch result {
		case spf.Pass:
			continue
		case spf.TempError:
			return silent(CheckSPF, domain, sourceSPF)
		case spf.PermError:
			f.Found, f.Fix = "The SPF record is broken: "+spfMistake(err)+".", "Mend it: receivers take none that they can't read."
			return f
		case spf.None, spf.Neutral, spf.Fail, spf.SoftFail:
		}
		f.Found = fmt.Sprintf("The SPF record does not name %s, from which mail is sent.", ip)
		f.Fix, f.Record = "Add it.", &Record{Name: domain, Type: "TXT", Value: strings.Replace(record, "v=spf1", "v=spf1 "+c.senders(), 1)}
		if c.Setup.IPsGuessed {
			f.Result = Warn
			f.Found = fmt.Sprintf("The SPF record does not name %s, the mail server. It may hand mail on from other addresses.", ip)
			f.Fix = "Add what your mail provider says, or tell the addresses that it sends from: SENDING_IPS."
		}
		return f
	}
	f.Result, f.Found = Pass, "The SPF record names who sends."
	return f
}

func spfMistake(err error) string {
	if errors.Is(err, spf.ErrLookupLimitReached) || errors.Is(err, spf.ErrVoidLookupLimitReached) {
		return "it takes too many look-ups"
	}
	return strings.TrimSpace(err.Error())
}

// senders are the terms that name who sends: those that the provider asks for, or addresses.
func (c *Checkup) senders() string {
	host := strings.ToLower(c.Setup.Server.Host)
	for _, provider := range [][2]string{
		{"amazonaws.com", "amazonses.com"}, {"sendgrid.net", "sendgrid.net"}, {"mailgun.org", "mailgun.org"}, {"postmarkapp.com", "spf.mtasv.net"},
		{"resend.com", "amazonses.com"}, {"brevo.com", "spf.brevo.com"}, {"sendinblue.com", "spf.brevo.com"}, {"gmail.com", "_spf.google.com"},
		{"google.com", "_spf.google.com"}, {"office365.com", "spf.protection.outlook.com"}, {"mailjet.com", "spf.mailjet.com"},
	} {
		if host == provider[0] || strings.HasSuffix(host, "."+provider[0]) {
			return "include:" + provider[1]
		}
	}
	var terms []string
	for _, ip := range c.Setup.IPs {
		terms = append(terms, spfTerm(ip))
	}
	if len(terms) == 0 {
		return "ip4:<the address that you send from>"
	}
	return strings.Join(terms, " ")
}

func spfTerm(ip netip.Addr) string {
	if ip.Is4() {
		return "ip4:" + ip.String()
	}
	return "ip6:" + ip.String()
}

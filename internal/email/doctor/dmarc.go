package doctor

import (
	"context"
	"fmt"
	"strings"
)

const (
	sourceDMARC   = "https://www.rfc-editor.org/rfc/rfc7489#section-6.3"
	sourceRUA     = "https://www.rfc-editor.org/rfc/rfc7489#section-7.1"
	sourceAligned = "https://www.rfc-editor.org/rfc/rfc7489#section-3.1"
)

// dmarc looks at the policy of the domain that recipients see.
func (c *Checkup) dmarc(ctx context.Context) []Finding {
	domain := domainOf(c.Setup.From)
	f := Finding{Check: CheckDMARC, Result: Fail, About: "_dmarc." + domain, Source: sourceGoogle}
	records, answered := c.texts(ctx, f.About, "v=DMARC1")
	if org := organisation(domain); answered && len(records) == 0 && org != domain {
		records, answered = c.texts(ctx, "_dmarc."+org, "v=DMARC1")
		f.About = "_dmarc." + org
	}
	wanted := &Record{Name: "_dmarc." + domain, Type: "TXT", Value: "v=DMARC1; p=none; rua=mailto:dmarc@" + domain}
	switch {
	case !answered:
		return []Finding{silent(CheckDMARC, f.About, sourceDMARC)}
	case len(records) == 0:
		f.About, f.Found, f.Fix, f.Record = "_dmarc."+domain, "There is no DMARC record: Gmail, Yahoo and Outlook refuse bulk mail without one.", "Publish one; p=none is enough to begin with.", wanted
		return []Finding{f}
	case len(records) > 1:
		f.Found, f.Fix = fmt.Sprintf("There are %d DMARC records: receivers then take none.", len(records)), "Delete all but one."
		return []Finding{f}
	}
	given := tags(records[0])
	return append([]Finding{dmarcPolicy(f, records[0], given), c.dmarcReports(ctx, f, domain, records[0], given)}, c.aligned(f, given)...)
}

func dmarcPolicy(f Finding, record string, given map[string]string) Finding {
	switch policy := strings.ToLower(given["p"]); policy {
	case "none":
		f.Result, f.Found = Pass, "The policy is none: what providers ask for. Others may still send in your name."
	case "quarantine", "reject":
		f.Result, f.Found = Pass, "The policy is "+policy+": mail of others in your name does not arrive."
	default:
		f.Found, f.Fix, f.Source = "The record has no policy (p=) that receivers know.", "Say p=none, p=quarantine or p=reject.", sourceDMARC
		f.Record = &Record{Name: f.About, Type: "TXT", Value: strings.Replace(record, "v=DMARC1;", "v=DMARC1; p=none;", 1)}
	}
	return f
}

// dmarcReports looks whether somebody reads who sends in the domain's name, and, when that is another domain, whether it wants to.
func (c *Checkup) dmarcReports(ctx context.Context, f Finding, domain, record string, given map[string]string) Finding {
	if given["rua"] == "" {
		f.Result, f.Found, f.Fix, f.Source = Warn, "Nobody gets the reports about who sends in your name.", "Name an address for them.", sourceDMARC
		f.Record = &Record{Name: f.About, Type: "TXT", Value: strings.TrimRight(record, "; ") + "; rua=mailto:dmarc@" + domain}
		return f
	}
	for address := range strings.SplitSeq(given["rua"], ",") {
		address, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(address), "mailto:"), "!")
		to := domainOf(address)
		if organisation(to) == organisation(domain) {
			continue
		}
		owner := strings.TrimPrefix(f.About, "_dmarc.")
		name := owner + "._report._dmarc." + to
		if found, answered := c.texts(ctx, name, "v=DMARC1"); answered && len(found) == 0 {
			f.Result, f.Found, f.Source = Warn, "Reports go to "+to+", which does not say that it takes them: receivers send none.", sourceRUA
			f.Fix, f.Record = "Let "+to+" publish it, or name an address of your own.", &Record{Name: name, Type: "TXT", Value: "v=DMARC1"}
			return f
		}
	}
	f.Result, f.Found, f.Source = Pass, "Reports about who sends in your name are read.", sourceDMARC
	return f
}

// aligned looks whether what SPF and DKIM vouch for is the domain that recipients see.
func (c *Checkup) aligned(f Finding, given map[string]string) []Finding {
	from := domainOf(c.Setup.From)
	f.About, f.Source = from, sourceAligned
	bySPF := alignedWith(domainOf(c.Setup.Envelope), from, given["aspf"])
	byDKIM := false
	for _, key := range c.Setup.Keys {
		byDKIM = byDKIM || alignedWith(key.Domain, from, given["adkim"])
	}
	switch {
	case bySPF && byDKIM:
		f.Result, f.Found = Pass, "SPF and DKIM both vouch for the domain that recipients see."
	case byDKIM:
		f.Result, f.Found = Pass, "DKIM vouches for the domain that recipients see. SPF vouches for "+domainOf(c.Setup.Envelope)+"."
	case bySPF && len(c.Setup.Keys) == 0:
		f.Result, f.Found, f.Fix = Warn, "SPF vouches for the domain that recipients see; whether the mail server's DKIM signature does, a delivered message tells.", "Look at one: throughline doctor --send."
	case bySPF:
		f.Result, f.Found, f.Fix = Warn, "The DKIM signature is for another domain than recipients see: forwarded mail fails DMARC.", "Sign for "+from+": DKIM_DOMAIN."
	default:
		f.Found, f.Fix = "Neither SPF nor DKIM vouches for the domain that recipients see: mail fails DMARC.", "Sign for "+from+" (DKIM_DOMAIN), or let mail return to an address under it (BOUNCE_ADDRESS)."
	}
	return []Finding{f}
}

// alignedWith is relaxed alignment, by organisation, unless the record asks for the very domain.
func alignedWith(domain, from, mode string) bool {
	if strings.EqualFold(mode, "s") {
		return domain == from
	}
	return organisation(domain) == organisation(from)
}

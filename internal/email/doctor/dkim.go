package doctor

import (
	"context"
	"fmt"
	"strings"

	"throughline.dev/throughline/internal/email"
)

const (
	sourceDKIM    = "https://www.rfc-editor.org/rfc/rfc6376#section-3.6.1"
	sourceGoogle  = "https://support.google.com/a/answer/81126"
	goodRSA       = 2048
	shortestRSA   = 1024
	dkimNameTitle = "._domainkey."
)

// dkim looks whether the public half of each key stands where receivers look for it.
func (c *Checkup) dkim(ctx context.Context) []Finding {
	if len(c.Setup.Keys) == 0 {
		return []Finding{{Check: CheckDKIM, Result: Warn, About: domainOf(c.Setup.From), Source: sourceGoogle,
			Found: "Throughline does not sign mail: the mail server has to.", Fix: "Look at a delivered message (throughline doctor --send), or set DKIM_KEY and DKIM_SELECTOR."}}
	}
	var out []Finding
	for _, key := range c.Setup.Keys {
		out = append(out, c.published(ctx, key))
	}
	return out
}

func (c *Checkup) published(ctx context.Context, key email.DKIMKey) Finding {
	name := key.Selector + dkimNameTitle + key.Domain
	f := Finding{Check: CheckDKIM, Result: Fail, About: name, Source: sourceDKIM, Record: &Record{Name: name, Type: "TXT", Value: "v=DKIM1; k=" + key.Kind + "; p=" + key.Public}}
	records, answered := c.keyRecords(ctx, name)
	if !answered {
		return silent(CheckDKIM, name, sourceDKIM)
	}
	if len(records) != 1 {
		f.Found, f.Fix = fmt.Sprintf("There are %d keys under this name; there has to be one.", len(records)), "Publish the key, and nothing else under this name."
		return f
	}
	given := tags(records[0])
	public := strings.Join(strings.Fields(given["p"]), "")
	switch {
	case public == "":
		f.Found, f.Fix = "The key is revoked: its record has an empty p=.", "Publish the key, or sign with another selector."
	case public != key.Public || given["k"] != "" && given["k"] != key.Kind || given["k"] == "" && key.Kind != "rsa":
		f.Found, f.Fix = "The key in DNS is another than the one that signs: every signature is broken.", "Publish the key that signs, or sign with the one that is published."
	case key.Kind == "rsa" && key.Bits < shortestRSA:
		f.Found, f.Fix, f.Source, f.Record = fmt.Sprintf("The key has %d bits; receivers ignore it.", key.Bits), "Make a key of 2048 bits.", sourceGoogle, nil
	case key.Kind == "rsa" && key.Bits < goodRSA:
		f.Result, f.Found, f.Fix, f.Source, f.Record = Warn, fmt.Sprintf("The key has %d bits.", key.Bits), "Make a key of 2048 bits.", sourceGoogle, nil
	case strings.Contains(":"+given["t"]+":", ":y:"):
		f.Result, f.Found, f.Fix = Warn, "The key is marked as a test (t=y): receivers may treat mail as unsigned.", "Publish it without t=y."
	default:
		f.Result, f.Found, f.Record = Pass, "The key that signs is published.", nil
	}
	return f
}

// keyRecords are the key records of a name; v=DKIM1 may be left out of one.
func (c *Checkup) keyRecords(ctx context.Context, name string) ([]string, bool) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	all, err := c.DNS.LookupTXT(ctx, name+".")
	var found []string
	for _, text := range all {
		if _, has := tags(text)["p"]; has {
			found = append(found, text)
		}
	}
	return found, answeredBy(err)
}

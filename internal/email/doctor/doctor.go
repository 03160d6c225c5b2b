// Package doctor looks at what mailbox providers look at: SPF, DKIM, DMARC, names of addresses, TLS, and a message as it was delivered. Each
// finding says what was found, and what to publish or change.
//
// It judges facts. Who resolves names, talks to the mail server or delivers a message is given to it, and every name comes from the
// configuration: nobody outside can make it look elsewhere.
package doctor

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"throughline.dev/throughline/internal/email"
)

// Result is how a check went.
type Result string

// The results: a failure costs mail now, a warning may.
const (
	Pass Result = "pass"
	Warn Result = "warn"
	Fail Result = "fail"
)

// The checks, in the order in which they are told.
const (
	CheckSPF       = "spf"
	CheckDKIM      = "dkim"
	CheckDMARC     = "dmarc"
	CheckPTR       = "ptr"
	CheckTLS       = "tls"
	CheckBounces   = "bounces"
	CheckSignature = "signature"
	CheckOneClick  = "one_click"
	CheckMessage   = "message"
)

// Finding is what a check has found.
type Finding struct {
	Check  string  `json:"check" enum:"spf,dkim,dmarc,ptr,tls,bounces,signature,one_click,message"`
	Result Result  `json:"result" enum:"pass,warn,fail"`
	About  string  `json:"about" doc:"The domain, server or part of the message."`
	Found  string  `json:"found" doc:"What there is."`
	Fix    string  `json:"fix,omitempty" doc:"What to do; absent when nothing is to be done."`
	Record *Record `json:"record,omitempty" doc:"The DNS record to publish."`
	Source string  `json:"source" doc:"Where it is asked for."`
}

// Record is a DNS record as somebody has to publish it.
type Record struct {
	Name  string `json:"name"`
	Type  string `json:"type" enum:"TXT,MX,PTR"`
	Value string `json:"value"`
}

// Report is everything that was found.
type Report struct {
	At       time.Time `json:"at"`
	Result   Result    `json:"result" enum:"pass,warn,fail" doc:"The worst of the findings'."`
	Findings []Finding `json:"findings" nullable:"false"`
}

// DNS is asked for records. A *net.Resolver is one.
type DNS interface {
	email.Resolver
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
}

// Setup is how mail is sent, by the configuration.
type Setup struct {
	From       string // addresses
	Envelope   string // where mail returns to, without a token
	OwnBounces bool   // the envelope is an address of our own that takes reports
	Keys       []email.DKIMKey
	Server     email.ServerFacts
	IPs        []netip.Addr // from which mail reaches providers
	IPsGuessed bool         // they are those of the relay; it may send from others
	PublicURL  string
	Postal     string // the sender's postal address
}

// Checkup is one look.
type Checkup struct {
	Setup Setup
	DNS   DNS
	// Message gives the bytes of a message, and says in a word how it was had; nil: none is looked at.
	Message func(ctx context.Context) (raw []byte, how string, err error)
	// Ask performs the requests of a mail program to our own address; nil: none is made.
	Ask func(ctx context.Context, method, link string) (Answer, error)
}

// lookPatience is for one question.
const lookPatience = 5 * time.Second

// Run looks at everything.
func (c *Checkup) Run(ctx context.Context, now time.Time) Report {
	checks := []func(context.Context) []Finding{c.spf, c.dkim, c.dmarc, c.ptr, c.tls(now), c.bounces, c.message}
	found := make([][]Finding, len(checks))
	var looking sync.WaitGroup
	for i, check := range checks {
		looking.Go(func() { found[i] = check(ctx) })
	}
	looking.Wait()
	all := slices.Concat(found...)
	report := Report{At: now, Result: Pass, Findings: all}
	for _, f := range all {
		if f.Result == Fail || (f.Result == Warn && report.Result == Pass) {
			report.Result = f.Result
		}
	}
	return report
}

// texts are the TXT records of a name that begin with a word. answered: DNS has answered, even if with nothing.
func (c *Checkup) texts(ctx context.Context, name, begin string) (found []string, answered bool) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	all, err := c.DNS.LookupTXT(ctx, name+".")
	for _, text := range all {
		if word, _, _ := strings.Cut(strings.ReplaceAll(text, ";", " "), " "); strings.EqualFold(word, begin) {
			found = append(found, text)
		}
	}
	return found, answeredBy(err)
}

// silent is the finding when DNS does not answer: that says nothing.
func silent(check, about, source string) Finding {
	return Finding{Check: check, Result: Warn, About: about, Found: "DNS did not answer.", Fix: "Look again in a moment; if it stays like this, look at the name servers of the domain.", Source: source}
}

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// organisation is the domain that somebody registered: DMARC compares those.
func organisation(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

// tags reads a=b; c=d.
func tags(record string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(record, ";") {
		if name, value, ok := strings.Cut(part, "="); ok {
			out[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return out
}

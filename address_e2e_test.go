package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/dnstest"
	"throughline.dev/throughline/internal/email"
)

// startWithDNS runs the product with a DNS server of the test's own.
func startWithDNS(t *testing.T) (*product, *dnstest.Server) {
	t.Helper()
	dns := dnstest.New(t)
	dns.MX("good-mail.net", "mx.good-mail.net")
	dns.MX("gmial.com", "mx.gmial.com")
	dns.MX("mailinator.com", "mx.mailinator.com")
	dns.MX("no-mail.net", ".")
	dns.Fail("broken-dns.net")
	dns.Hang("slow-dns.net")
	return start(t, func(c *config) { c.DNSServer, c.VerifyDNS = dns.Address, true }), dns
}

const addressJourney = `
journey: addressed
enter: [{event: Signed Up}]
steps:
  - id: welcome
    send: {template: welcome}
  - id: done
    exit: finished
`

// A file with all kinds of addresses: the report groups them, a segment on the verdict finds them, and what can't arrive is not sent.
func TestAddressesAreVerified(t *testing.T) {
	t.Parallel()
	p, dns := startWithDNS(t)
	p.template(t, "welcome", "Welcome")
	p.publish(t, addressJourney)
	people := []struct{ user, address string }{
		{"good", "ana.lima@good-mail.net"}, {"other", "bob@good-mail.net"}, {"typo", "ana@gmial.com"}, {"throw", "x1@mailinator.com"}, {"role", "info@good-mail.net"},
		{"null", "ana@no-mail.net"}, {"gone", "ana@gone-away.net"}, {"broken", "ana@broken-dns.net"}, {"slow", "ana@slow-dns.net"}, {"none", "no address"},
	}
	text := "User ID,Email\n"
	for _, row := range people {
		text += row.user + "," + row.address + "\n"
	}
	file := writeFile(t, "people.csv", text)
	says, _, err := p.importCLI(t, p.base, file)
	require.ErrorIs(t, err, errProblems, "a row without an address is left out")
	require.Contains(t, says, "Addresses:\n")
	for _, line := range []string{"1 rows risky (disposable)", "1 rows risky (role)", "1 rows risky (typo)", "1 rows undeliverable (syntax)"} {
		require.Contains(t, says, "  "+line+"\n", says)
	}
	require.NotContains(t, says, "ana@")

	p.saveSegment(t, "undeliverable", `contact.email_verdict == "undeliverable"`)
	p.saveSegment(t, "suspicious", `contact.email_verdict == "risky" && !("role" in contact.email_reasons)`)
	imports := admin[api.List[audience.Import]](t, p, http.MethodGet, "/v1/imports", "")
	want := []audience.ImportVerdict{
		{Verdict: "deliverable", Rows: 2}, {Verdict: "risky", Reasons: []string{"disposable"}, Rows: 1}, {Verdict: "risky", Reasons: []string{"role"}, Rows: 1},
		{Verdict: "risky", Reasons: []string{"typo"}, Rows: 1}, {Verdict: "undeliverable", Reasons: []string{"no_mx"}, Rows: 1},
		{Verdict: "undeliverable", Reasons: []string{"null_mx"}, Rows: 1}, {Verdict: "undeliverable", Reasons: []string{"syntax"}, Rows: 1}, {Verdict: "unknown", Rows: 2},
	}
	eventually(t, "the domains are looked up", func() bool {
		found := admin[audience.Import](t, p, http.MethodGet, "/v1/imports/"+imports.Data[0].ID, "")
		return fmt.Sprint(found.Addresses) == fmt.Sprint(want)
	})
	eventually(t, "the segments have them", func() bool {
		return p.memberUsers(t, "undeliverable") == "gone,null" && p.memberUsers(t, "suspicious") == "throw,typo"
	})
	typo := p.contact(t, person{user: "typo"})
	require.Equal(t, "ana@gmail.com", typo.EmailSuggestion)
	require.LessOrEqual(t, dns.Asked("good-mail.net"), 2, "one domain is asked for once")

	for user, wantState := range map[string]email.State{"good": email.Sent, "typo": email.Sent, "throw": email.Sent, "broken": email.Sent, "null": email.Skipped, "gone": email.Skipped} {
		p.track(t, person{user: user}, "Signed Up", nil)
		contact := p.contact(t, person{user: user})
		eventually(t, "the mail is decided", func() bool { m := p.messageAt(t, contact.ID, "welcome"); return m != nil && m.State.Final() })
		m := p.messageAt(t, contact.ID, "welcome")
		require.Equal(t, wantState, m.State, user)
		if wantState == email.Skipped {
			require.Equal(t, email.ReasonUndeliverable, m.Reason, user)
		}
	}

	// The sending policy may spare those who do not stay.
	admin[map[string]any](t, p, http.MethodPut, "/v1/sending_policy", `{"caps":[],"skip_addresses":["disposable"]}`)
	eventually(t, "the policy holds", func() bool {
		user := "throw-" + uuid.NewString()
		p.segment(t, "/v1/identify", map[string]any{"userId": user, "traits": map[string]any{"email": user + "@mailinator.com"}})
		p.track(t, person{user: user}, "Signed Up", nil)
		contact := p.contact(t, person{user: user})
		eventually(t, "the mail is decided", func() bool { m := p.messageAt(t, contact.ID, "welcome"); return m != nil && m.State.Final() })
		return p.messageAt(t, contact.ID, "welcome").Reason == email.ReasonDisposable
	})
}

// The first mail of a contact waits a moment for DNS, so that it is not the mail itself that finds out.
func TestTheFirstMailIsNotTheProbe(t *testing.T) {
	t.Parallel()
	dns := dnstest.New(t)
	dns.MX("null-domain.net", ".")
	p := start(t, func(c *config) { c.DNSServer, c.VerifyDNS, c.VerifyEvery = dns.Address, true, time.Hour })
	p.template(t, "welcome", "Welcome")
	p.publish(t, addressJourney)
	user := "first-" + uuid.NewString()
	p.segment(t, "/v1/batch", map[string]any{"batch": []map[string]any{
		{"type": "identify", "userId": user, "traits": map[string]any{"email": "ana@null-domain.net"}}, {"type": "track", "userId": user, "event": "Signed Up"},
	}})
	contact := p.contact(t, person{user: user})
	eventually(t, "the mail is decided", func() bool { m := p.messageAt(t, contact.ID, "welcome"); return m != nil && m.State.Final() })
	require.Equal(t, email.ReasonUndeliverable, p.messageAt(t, contact.ID, "welcome").Reason)
}

func (p *product) memberUsers(t *testing.T, segment string) string {
	t.Helper()
	var users []string
	for _, member := range admin[list[audience.Member]](t, p, http.MethodGet, "/v1/segments/"+segment+"/members", "").Data {
		users = append(users, member.Contact.UserID)
	}
	slices.Sort(users)
	return strings.Join(users, ",")
}

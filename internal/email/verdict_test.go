package email

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/dnstest"
)

func TestJudgeAddress(t *testing.T) {
	for _, c := range []struct {
		address string
		domain  MailDomain
		verdict string
		reasons []string
	}{
		{"", DomainUnknown, "", nil},
		{"ana@acme.test", DomainUnknown, VerdictUnknown, nil},
		{"ana@acme.test", DomainTakesMail, VerdictDeliverable, nil},
		{"ana@acme.test", DomainNone, VerdictUndeliverable, []string{AddressNoMX}},
		{"ana@acme.test", DomainRefuses, VerdictUndeliverable, []string{AddressNullMX}},
		{"Ana.Lima+news@GMAIL.com", DomainTakesMail, VerdictDeliverable, nil},
		{"info@gmial.com", DomainTakesMail, VerdictRisky, []string{AddressRole, AddressTypo}},
		{"x@mailinator.com", DomainTakesMail, VerdictRisky, []string{AddressDisposable}},
		{"x@sub.mailinator.com", DomainUnknown, VerdictRisky, []string{AddressDisposable}},
		{"info+x@acme.test", DomainTakesMail, VerdictRisky, []string{AddressRole}},
		{"info@nowhere.example", DomainNone, VerdictUndeliverable, []string{AddressNoMX, AddressRole}},
		{"no address", DomainTakesMail, VerdictUndeliverable, []string{AddressSyntax}},
		{`"quoted local"@acme.test`, DomainTakesMail, VerdictUndeliverable, []string{AddressSyntax}},
		{strings.Repeat("a", 65) + "@acme.test", DomainTakesMail, VerdictUndeliverable, []string{AddressSyntax}},
		{strings.Repeat("a", 64) + "@acme.test", DomainTakesMail, VerdictDeliverable, nil},
		{"a@" + strings.Repeat("abcdefg.", 31) + "test", DomainTakesMail, VerdictDeliverable, nil}, // 254 in all
		{"a@" + strings.Repeat("abcdefg.", 31) + "tests", DomainTakesMail, VerdictUndeliverable, []string{AddressSyntax}},
		{"ana@bücher.example", DomainTakesMail, VerdictDeliverable, nil},
		{"ana@[192.0.2.1]", DomainTakesMail, VerdictUndeliverable, []string{AddressSyntax}},
		{"jörg@acme.test", DomainTakesMail, VerdictUndeliverable, []string{AddressSyntax}},
	} {
		require.Equal(t, AddressVerdict{Verdict: c.verdict, Reasons: c.reasons}, JudgeAddress(c.address, c.domain), c.address)
	}
}

func TestSuggestAddress(t *testing.T) {
	for typed, meant := range map[string]string{
		"ana@gmial.com": "ana@gmail.com", "Ana@GMAL.com": "Ana@gmail.com", "ana@gmail.con": "ana@gmail.com", "ana@gmail.co": "ana@gmail.com", "ana@gnail.com": "ana@gmail.com",
		"ana@hotmial.com": "ana@hotmail.com", "ana@hotmail.cmo": "ana@hotmail.com", "ana@outlok.com": "ana@outlook.com", "ana@yaho.com": "ana@yahoo.com", "ana@yahoo.cm": "ana@yahoo.com",
		"ana@iclud.com": "ana@icloud.com", "ana@gmailcom": "ana@gmail.com", "ana@t-onlin.de": "ana@t-online.de", "ana@aol.con": "ana@aol.com",
		// Meant as they are.
		"ana@gmail.com": "", "ana@ymail.com": "", "ana@mail.com": "", "ana@email.com": "", "ana@hotmail.cz": "", "ana@yahoo.com.ar": "", "ana@gmx.com": "", "ana@cloud.com": "",
		"ana@acme.test": "", "ana@me.de": "", "ana@line.com": "", "ana@web.at": "", "ana@aos.com": "", "no address": "",
	} {
		require.Equal(t, meant, SuggestAddress(typed), typed)
	}
}

// A list that holds a large provider would make most contacts risky.
func TestListsAreSortedAndSparePeople(t *testing.T) {
	for name, list := range map[string]string{"disposable": disposableDomains, "roles": roleNames} {
		lines := strings.Split(strings.TrimSuffix(list, "\n"), "\n")
		require.True(t, slices.IsSorted(lines), name)
		require.Greater(t, len(lines), 500, name)
		for _, i := range []int{0, 1, len(lines) / 3, len(lines) - 2, len(lines) - 1} {
			require.True(t, listed(list, lines[i]), lines[i])
		}
		require.False(t, listed(list, ""), name)
		require.False(t, listed(list, "\x00"), name)
		require.False(t, listed(list, "~"), name)
	}
	for _, domain := range append(lookalikes(), largeProviders()...) {
		require.False(t, isDisposable(domain), domain)
		require.Empty(t, likelyDomain(domain), domain)
	}
}

func TestLookUpMailDomain(t *testing.T) {
	dns := dnstest.New(t)
	dns.MX("mail.net", "mx1.mail.net", "mx2.mail.net")
	dns.Addr("plain.net", "192.0.2.1")
	dns.Addr("six.net", "2001:db8::1")
	dns.MX("null.net", ".")
	dns.MX("both.net", ".", "mx.both.net") // RFC 7505 allows no other beside it: then it is taken at its word that there is a server
	dns.Empty("empty.net")
	dns.Fail("broken.net")
	dns.FailMX("half.net") // there may be a mail server: that there is no address says nothing
	dns.Hang("slow.net")
	for i := range 60 {
		dns.MX("huge.net", fmt.Sprintf("a-rather-long-name-of-a-mail-server-%d.huge.net", i))
	}
	for domain, want := range map[string]MailDomain{
		"mail.net": DomainTakesMail, "plain.net": DomainTakesMail, "six.net": DomainTakesMail, "null.net": DomainRefuses, "both.net": DomainTakesMail,
		"empty.net": DomainNone, "gone.net": DomainNone, "broken.net": DomainUnknown, "half.net": DomainUnknown, "slow.net": DomainUnknown, "huge.net": DomainTakesMail,
		"acme.test": DomainUnknown, "localhost": DomainUnknown, "x.invalid": DomainNone,
	} {
		t.Run(domain, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			require.Equal(t, want, LookUpMailDomain(ctx, dns.Resolver(), domain))
		})
	}
	require.Zero(t, dns.Asked("acme.test"), "nobody is asked about a reserved name")
}

func FuzzJudgeAddress(f *testing.F) {
	for _, seed := range []string{"ana@gmial.com", "a@b", `"x"@y.z`, "ü@ü.ü", "@", "a@b@c", strings.Repeat("a.", 200) + "@x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		v := JudgeAddress(address, DomainTakesMail)
		if normal, err := ParseAddress(address); err == nil {
			require.Equal(t, v, JudgeAddress(normal, DomainTakesMail), "an address and its normal form are judged alike")
			require.NotContains(t, v.Reasons, AddressSyntax)
		}
		if meant := SuggestAddress(address); meant != "" {
			require.Empty(t, SuggestAddress(meant), "what is suggested is meant as it is")
			require.Contains(t, v.Reasons, AddressTypo)
		}
	})
}

func TestNormalisationIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.StringMatching(`[A-Za-z0-9!#$%&'*+/=?^_{|}~-]{1,12}(\.[A-Za-z0-9+-]{1,8})?`).Draw(t, "local")
		domain := rapid.SampledFrom([]string{"Bücher.example", "GMAIL.com", "xn--bcher-kva.example", "sub.Acme.test", "日本.example", "acme.test."}).Draw(t, "domain")
		once, err := ParseAddress(local + "@" + domain)
		require.NoError(t, err)
		twice, err := ParseAddress(once)
		require.NoError(t, err)
		require.Equal(t, once, twice)
		key, err := AddressKey(once)
		require.NoError(t, err)
		again, err := AddressKey(key)
		require.NoError(t, err)
		require.Equal(t, key, again)
		require.Equal(t, JudgeAddress(once, DomainUnknown), JudgeAddress(key, DomainUnknown))
	})
}

func BenchmarkJudgeAddress(b *testing.B) {
	for name, address := range map[string]string{"gmail": "ana.lima@gmail.com", "company": "ana.lima@contoso-industries.com"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				JudgeAddress(address, DomainUnknown)
			}
		})
	}
}

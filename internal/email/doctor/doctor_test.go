package doctor_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	netmail "net/mail"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/dnstest"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/email/doctor"
)

const domain = "mail.acme.net"

var rsaKey = sync.OnceValue(func() []byte { // making one takes a while
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
})

// world is a sender in whom nothing is wrong.
type world struct {
	dns     *dnstest.Server
	signer  *email.Signer
	checkup doctor.Checkup
	headers email.Headers
	asked   []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	signer, err := email.NewSigner(rsaKey(), "s1", domain)
	require.NoError(t, err)
	w := &world{dns: dnstest.New(t), signer: signer}
	key := signer.Public()
	w.dns.TXT("acme.net", "v=spf1 ip4:192.0.2.1 -all", "some-verification=1")
	w.dns.TXT("bounce.acme.net", "v=spf1 ip4:192.0.2.1 include:_spf.acme.net -all")
	w.dns.TXT("_spf.acme.net", "v=spf1 ip4:198.51.100.0/24 -all")
	w.dns.TXT("s1._domainkey."+domain, "v=DKIM1; k=rsa; p="+key.Public)
	w.dns.TXT("_dmarc.acme.net", "v=DMARC1; p=quarantine; rua=mailto:dmarc@acme.net")
	w.dns.Empty("_dmarc." + domain)
	w.dns.PTR("192.0.2.1", "out.acme.net")
	w.dns.Addr("out.acme.net", "192.0.2.1")
	w.dns.MX("bounce.acme.net", "mx.acme.net")
	w.headers = email.Headers{
		ID: "m1", MessageID: "m1@" + domain, Date: time.Now(), Class: email.Marketing, ListUnsubscribe: "https://t.acme.net/u/token", DKIM: []*email.Signer{signer},
	}
	w.checkup = doctor.Checkup{
		DNS: w.dns.Resolver(),
		Setup: doctor.Setup{
			From: "news@" + domain, Envelope: "bounce@bounce.acme.net", OwnBounces: true, Keys: []email.DKIMKey{key}, IPs: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
			Server:    email.ServerFacts{Address: "smtp.acme.net:587", Host: "smtp.acme.net", Secure: true, TLSVersion: tls.VersionTLS13, CertificateUntil: time.Now().Add(60 * 24 * time.Hour)},
			PublicURL: "https://t.acme.net", Postal: "1 Example Street, 10115 Berlin",
		},
		Message: func(context.Context) ([]byte, string, error) { return w.mail(t), "a test", nil },
		Ask: func(_ context.Context, method, link string) (doctor.Answer, error) {
			w.asked = append(w.asked, method+" "+link)
			return doctor.Answer{Status: http.StatusOK}, nil
		},
	}
	return w
}

func (w *world) mail(t *testing.T) []byte {
	t.Helper()
	raw, err := email.Build(netmail.Address{Name: "Acme", Address: "news@" + domain}, netmail.Address{Address: "ana@example.test"},
		email.Rendered{Subject: "Hello", HTML: "<p>Hi</p>", Text: "Hi\n\nAcme, 1 Example Street,\n10115 Berlin"}, w.headers)
	require.NoError(t, err)
	return raw
}

func (w *world) run(t *testing.T) doctor.Report {
	t.Helper()
	return w.checkup.Run(t.Context(), time.Now())
}

// bad are the findings that are no pass.
func bad(r doctor.Report) []doctor.Finding {
	var out []doctor.Finding
	for _, f := range r.Findings {
		if f.Result != doctor.Pass {
			out = append(out, f)
		}
	}
	return out
}

func TestNothingIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	report := w.run(t)
	require.Empty(t, bad(report))
	require.Equal(t, doctor.Pass, report.Result)
	require.Equal(t, []string{"POST https://t.acme.net/u/token", "GET https://t.acme.net/u/token"}, w.asked)
	checks := map[string]bool{}
	for _, f := range report.Findings {
		checks[f.Check] = true
		require.NotEmpty(t, f.Found, f)
		require.True(t, strings.HasPrefix(f.Source, "https://"), f)
		require.Empty(t, f.Fix, "what is in order needs no mending: %v", f)
	}
	require.Len(t, checks, 9)
}

// Each broken record gives its finding, with the record to publish.
func TestEachBrokenRecordHasItsFix(t *testing.T) {
	t.Parallel()
	include := func(w *world, n int) {
		terms := ""
		for i := range n {
			terms += fmt.Sprintf(" include:_%d.acme.net", i)
			w.dns.TXT(fmt.Sprintf("_%d.acme.net", i), "v=spf1 ip4:203.0.113.1 -all")
		}
		w.dns.Forget("bounce.acme.net")
		w.dns.MX("bounce.acme.net", "mx.acme.net")
		w.dns.TXT("bounce.acme.net", "v=spf1 ip4:192.0.2.1"+terms+" -all")
	}
	spf := func(w *world, records ...string) {
		w.dns.Forget("bounce.acme.net")
		w.dns.MX("bounce.acme.net", "mx.acme.net")
		w.dns.TXT("bounce.acme.net", records...)
	}
	dmarc := func(w *world, records ...string) {
		w.dns.Forget("_dmarc.acme.net")
		w.dns.TXT("_dmarc.acme.net", records...)
	}
	other, err := email.NewSigner(otherKey(t), "s1", domain)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		breaks        func(w *world)
		check         string
		result        doctor.Result
		found, record string
	}{
		"no SPF":            {func(w *world) { spf(w) }, "spf", "fail", "no SPF record", "v=spf1 ip4:192.0.2.1 -all"},
		"two SPF":           {func(w *world) { spf(w, "v=spf1 ip4:192.0.2.1 -all", "v=spf1 mx -all") }, "spf", "fail", "2 SPF records", ""},
		"SPF of everybody":  {func(w *world) { spf(w, "v=spf1 ip4:192.0.2.1 +all") }, "spf", "fail", "lets everybody", "v=spf1 ip4:192.0.2.1 -all"},
		"SPF without end":   {func(w *world) { spf(w, "v=spf1 ip4:192.0.2.1") }, "spf", "warn", "says nothing of those", "v=spf1 ip4:192.0.2.1 -all"},
		"SPF of another":    {func(w *world) { spf(w, "v=spf1 ip4:203.0.113.9 -all") }, "spf", "fail", "does not name 192.0.2.1", "v=spf1 ip4:192.0.2.1 ip4:203.0.113.9 -all"},
		"too many look-ups": {func(w *world) { include(w, 11) }, "spf", "fail", "11 look-ups of the 10", ""},
		"nearly too many":   {func(w *world) { include(w, 9) }, "spf", "warn", "9 look-ups of the 10", ""},
		"SPF silent":        {func(w *world) { w.dns.Fail("bounce.acme.net") }, "spf", "warn", "did not answer", ""},
		"no DKIM key":       {func(w *world) { w.dns.Forget("s1._domainkey." + domain) }, "dkim", "fail", "0 keys under this name", "v=DKIM1; k=rsa; p="},
		"revoked key": {func(w *world) {
			w.dns.Forget("s1._domainkey." + domain)
			w.dns.TXT("s1._domainkey."+domain, "v=DKIM1; p=")
		}, "dkim", "fail", "revoked", "v=DKIM1; k=rsa; p="},
		"another key": {func(w *world) {
			w.dns.Forget("s1._domainkey." + domain)
			w.dns.TXT("s1._domainkey."+domain, "v=DKIM1; k=rsa; p="+other.Public().Public)
		}, "dkim", "fail", "another than the one that signs", "v=DKIM1; k=rsa; p="},
		"short key":         {func(w *world) { w.checkup.Setup.Keys[0].Bits = 1024 }, "dkim", "warn", "1024 bits", ""},
		"far too short key": {func(w *world) { w.checkup.Setup.Keys[0].Bits = 512 }, "dkim", "fail", "512 bits", ""},
		"no DMARC":          {func(w *world) { dmarc(w) }, "dmarc", "fail", "no DMARC record", "v=DMARC1; p=none; rua=mailto:dmarc@mail.acme.net"},
		"two DMARC":         {func(w *world) { dmarc(w, "v=DMARC1; p=none", "v=DMARC1; p=reject") }, "dmarc", "fail", "2 DMARC records", ""},
		"no policy":         {func(w *world) { dmarc(w, "v=DMARC1; rua=mailto:x@acme.net") }, "dmarc", "fail", "no policy", "v=DMARC1; p=none; rua=mailto:x@acme.net"},
		"no reports":        {func(w *world) { dmarc(w, "v=DMARC1; p=none") }, "dmarc", "warn", "Nobody gets the reports", "v=DMARC1; p=none; rua=mailto:dmarc@mail.acme.net"},
		"reports nobody takes": {func(w *world) {
			dmarc(w, "v=DMARC1; p=none; rua=mailto:x@reports.other.net")
			w.dns.Empty("acme.net._report._dmarc.reports.other.net")
		}, "dmarc", "warn", "does not say that it takes them", "v=DMARC1"},
		"SPF strict": {func(w *world) {
			dmarc(w, "v=DMARC1; p=none; rua=mailto:x@acme.net; aspf=s; adkim=s")
			w.checkup.Setup.Keys[0].Domain = "acme.net"
		}, "dmarc", "fail", "Neither SPF nor DKIM", ""},
		"no name": {func(w *world) { w.checkup.Setup.IPs = []netip.Addr{netip.MustParseAddr("192.0.2.7")} }, "ptr", "fail", "has no name", "mail.acme.net"},
		"a name that leads elsewhere": {func(w *world) {
			w.dns.Forget("out.acme.net")
			w.dns.Addr("out.acme.net", "192.0.2.99")
		}, "ptr", "fail", "does not lead back", ""},
		"no TLS":         {func(w *world) { w.checkup.Setup.Server.Secure = false }, "tls", "fail", "without TLS", ""},
		"old TLS":        {func(w *world) { w.checkup.Setup.Server.TLSVersion = tls.VersionTLS10 }, "tls", "fail", "outdated", ""},
		"certificate":    {func(w *world) { w.checkup.Setup.Server.CertificateUntil = time.Now().Add(50 * time.Hour) }, "tls", "warn", "ends in 2 days", ""},
		"no bounces":     {func(w *world) { w.checkup.Setup.Envelope = "bounce@nowhere.acme.net" }, "bounces", "fail", "can't return", "10 <the name of that server>"},
		"others' bounce": {func(w *world) { w.checkup.Setup.OwnBounces = false }, "bounces", "warn", "nobody learns", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.breaks(w)
			report := w.run(t)
			f := findingOf(report, c.check, c.found)
			require.NotNil(t, f, "%+v", bad(report))
			require.Equal(t, c.result, f.Result, f)
			require.NotEmpty(t, f.Fix, "it says what to do")
			if c.record != "" {
				require.NotNil(t, f.Record)
				require.Contains(t, f.Record.Value, c.record)
			}
			require.NotEqual(t, doctor.Pass, report.Result)
		})
	}
}

func findingOf(r doctor.Report, check, found string) *doctor.Finding {
	for _, f := range r.Findings {
		if f.Check == check && strings.Contains(f.Found, found) {
			return &f
		}
	}
	return nil
}

func otherKey(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// The message is judged by its bytes, and by what the address in it answers.
func TestWhatIsWrongWithAMessage(t *testing.T) {
	t.Parallel()
	change := func(from, to string) func(w *world, raw []byte) []byte {
		return func(_ *world, raw []byte) []byte { return bytes.Replace(raw, []byte(from), []byte(to), 1) }
	}
	for name, c := range map[string]struct {
		change       func(w *world, raw []byte) []byte
		ask          func(method string) (doctor.Answer, error)
		check, found string
	}{
		"unsigned":        {change: func(_ *world, raw []byte) []byte { return raw[bytes.Index(raw, []byte("\r\nDate:"))+2:] }, check: "signature", found: "not signed"},
		"changed":         {change: change("Hi", "Ho"), check: "signature", found: "does not hold"},
		"header unsigned": {change: resigned("From", "Subject", "Date", "List-Unsubscribe"), check: "one_click", found: "does not cover List-Unsubscribe-Post"},
		"link unsigned":   {change: resigned("From", "Subject", "Date", "List-Unsubscribe-Post"), check: "one_click", found: "does not cover List-Unsubscribe:"},
		"no header":       {change: change("List-Unsubscribe: ", "X-Was: "), check: "one_click", found: "0 List-Unsubscribe headers"},
		"another post":    {change: change("List-Unsubscribe=One-Click", "List-Unsubscribe=Two-Clicks"), check: "one_click", found: "does not say"},
		"http":            {change: change("<https://t.acme.net", "<http://t.acme.net"), check: "one_click", found: "no https address"},
		"elsewhere":       {change: change("<https://t.acme.net", "<https://links.other.net"), check: "one_click", found: "not under PUBLIC_URL"},
		"another sender":  {change: change("news@mail.acme.net", "news@other.net"), check: "message", found: "do not see the domain"},
		"no id":           {change: change("Message-ID: ", "X-ID: "), check: "message", found: "not exactly one"},
		"no address":      {change: change("Example Street", "Elsewhere"), check: "message", found: "postal address is not"},
		"too large":       {change: func(_ *world, raw []byte) []byte { return append(raw, bytes.Repeat([]byte("x\r\n"), 40_000)...) }, check: "message", found: "Gmail cuts off"},
		"no text":         {change: change("text/plain", "text/html"), check: "message", found: "some filters mind"},
		"no message":      {change: func(*world, []byte) []byte { return []byte("nothing") }, check: "message", found: "no message"},
		"login":           {ask: func(string) (doctor.Answer, error) { return doctor.Answer{Status: 401}, nil }, check: "one_click", found: "answered with 401"},
		"redirect":        {ask: func(string) (doctor.Answer, error) { return doctor.Answer{Status: 302, Location: "/login"}, nil }, check: "one_click", found: "leads elsewhere"},
		"silent":          {ask: func(string) (doctor.Answer, error) { return doctor.Answer{}, errors.New("refused") }, check: "one_click", found: "does not answer"},
		"no page": {ask: func(method string) (doctor.Answer, error) {
			return doctor.Answer{Status: map[string]int{"POST": 200, "GET": 404}[method]}, nil
		}, check: "one_click", found: "gets 404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			raw := w.mail(t)
			if c.change != nil {
				raw = c.change(w, raw)
			}
			w.checkup.Message = func(context.Context) ([]byte, string, error) { return raw, "a test", nil }
			if c.ask != nil {
				w.checkup.Ask = func(_ context.Context, method, _ string) (doctor.Answer, error) { return c.ask(method) }
			}
			report := w.run(t)
			f := findingOf(report, c.check, c.found)
			require.NotNil(t, f, "%+v", bad(report))
			require.NotEqual(t, doctor.Pass, f.Result)
			require.NotEmpty(t, f.Fix)
		})
	}
}

func TestPrinted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dns.Forget("s1._domainkey." + domain)
	w.dns.Forget("_dmarc.acme.net")
	var out bytes.Buffer
	w.run(t).Print(&out)
	text := out.String()
	require.Contains(t, text, "MEND  dkim")
	require.Contains(t, text, `s1._domainkey.mail.acme.net. TXT "v=DKIM1; k=rsa; p=`)
	require.Contains(t, text, `" "`, "a long text is cut into strings")
	require.Contains(t, text, `_dmarc.mail.acme.net. TXT "v=DMARC1; p=none; rua=mailto:dmarc@mail.acme.net"`)
	require.Contains(t, text, "to mend")
	require.Less(t, strings.Index(text, "MEND"), strings.Index(text, "ok  "), "what is to be mended comes first")
	if testing.Verbose() {
		t.Log("\n" + text)
	}
}

// The server's TLS is looked at in a real conversation.
func TestLookAtARealServer(t *testing.T) {
	t.Parallel()
	certificate, until, pool := certificate(t)
	for name, c := range map[string]struct {
		scheme string
		server *tls.Config
		client *tls.Config
		found  string
		result doctor.Result
	}{
		"good":      {"smtp+starttls", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, "TLS 1.3", doctor.Pass},
		"stranger":  {"smtp+starttls", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}, &tls.Config{MinVersion: tls.VersionTLS12}, "certificate", doctor.Fail},
		"none":      {"smtp+starttls", nil, nil, "does not offer STARTTLS", doctor.Fail},
		"plaintext": {"smtp", nil, nil, "without TLS", doctor.Warn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return session{}, nil }))
			server.TLSConfig, server.ErrorLog = c.server, quiet{}
			go func() { _ = server.Serve(listener) }()
			t.Cleanup(func() { _ = server.Close() })
			transport, err := email.NewTransport(email.Options{URL: c.scheme + "://" + listener.Addr().String(), TLS: c.client})
			require.NoError(t, err)
			defer transport.Close()
			w := newWorld(t)
			w.checkup.Setup.Server = transport.Look(t.Context())
			f := findingOf(w.run(t), "tls", c.found)
			require.NotNil(t, f, "%+v", w.checkup.Setup.Server)
			require.Equal(t, c.result, f.Result)
			if c.result == doctor.Pass {
				require.Equal(t, until.Unix(), w.checkup.Setup.Server.CertificateUntil.Unix())
			}
		})
	}
}

type session struct{}

func (session) Reset()                               {}
func (session) Logout() error                        { return nil }
func (session) Mail(string, *smtp.MailOptions) error { return nil }
func (session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (session) Data(r io.Reader) error               { _, err := io.Copy(io.Discard, r); return err }

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func certificate(t *testing.T) (tls.Certificate, time.Time, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, parsed.NotAfter, pool
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte("From: a@b.net\r\nContent-Type: multipart/alternative; boundary=x\r\nList-Unsubscribe: <https://a>, <https://b>\r\n\r\n--x\r\n\r\nHi\r\n--x--\r\n"))
	f.Add([]byte("DKIM-Signature: v=1; a=rsa-sha256; d=b.net; s=x; h=from; bh=; b=\r\nFrom: a@b.net\r\n\r\nHi"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := doctor.Checkup{Setup: doctor.Setup{From: "a@b.net"}, DNS: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("none") }},
			Message: func(context.Context) ([]byte, string, error) { return raw, "fuzz", nil }}
		for _, finding := range c.MessageFindings(t.Context()) {
			require.NotEmpty(t, finding.Found)
		}
	})
}

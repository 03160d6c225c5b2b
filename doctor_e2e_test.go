package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/dnstest"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/email/doctor"
)

func dkimKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// A whole sender: the mail goes through the real catcher, its bytes are read back, the signature is checked against DNS, and the address
// in it is asked. Then the records are broken.
func TestDoctorOnADeliveredMessage(t *testing.T) {
	t.Parallel()
	dns := dnstest.New(t)
	// Recipients reach the product by https; what stands in front is the test's.
	var front *httptest.Server
	p := start(t, func(c *config) {
		front = httptest.NewUnstartedServer(nil)
		front.StartTLS()
		t.Cleanup(front.Close)
		c.PublicURL = front.URL
		c.MailFrom, c.BounceAddress = "Acme <news@mail.acme-sender.net>", "bounce@bounce.acme-sender.net"
		c.DKIM = [][2]string{{dkimKey(t), "s1"}}
		c.DNSServer = dns.Address
		c.SendingIPs = []netip.Addr{netip.MustParseAddr("192.0.2.1")}
	})
	target, err := url.Parse(p.base)
	require.NoError(t, err)
	front.Config.Handler = httputil.NewSingleHostReverseProxy(target)
	signers, err := p.config.signers()
	require.NoError(t, err)
	dns.TXT("bounce.acme-sender.net", "v=spf1 ip4:192.0.2.1 -all")
	dns.MX("bounce.acme-sender.net", "mx.acme-sender.net")
	dns.TXT("s1._domainkey.mail.acme-sender.net", "v=DKIM1; k=rsa; p="+signers[0].Public().Public)
	dns.TXT("_dmarc.acme-sender.net", "v=DMARC1; p=none; rua=mailto:dmarc@acme-sender.net")
	dns.PTR("192.0.2.1", "out.acme-sender.net")
	dns.Addr("out.acme-sender.net", "192.0.2.1")

	to := "probe-" + uuid.NewString() + "@example.test"
	look := func(args ...string) (doctor.Report, error) {
		cmd, err := parseDoctor(append(args, "--json"))
		require.NoError(t, err)
		var out bytes.Buffer
		failed := cmd.run(t.Context(), p.config, &out)
		var report doctor.Report
		require.NoError(t, json.Unmarshal(out.Bytes(), &report), out.String())
		return report, failed
	}
	report, err := look("--send", to)
	require.Len(t, caught(t, to), 1, "the mail was really delivered")
	// The front's certificate is nobody's: that is the one thing that a mail program could not do.
	var wrong []string
	for _, f := range report.Findings {
		if f.Result == doctor.Fail {
			wrong = append(wrong, f.Found)
		}
	}
	require.Equal(t, []string{"The address to unsubscribe at does not answer."}, wrong)
	require.ErrorIs(t, err, errProblems, "exit code 1")

	raw := rawMail(t, p.config.InboxURL, caught(t, to)[0].ID)
	file := writeFile(t, "mail.eml", raw)
	dns.Forget("s1._domainkey.mail.acme-sender.net")
	report, _ = look("--delivered", file)
	require.Contains(t, foundBy(report, doctor.CheckSignature), "The signature of mail.acme-sender.net does not hold: its key is not in DNS.")
	var out bytes.Buffer
	require.ErrorIs(t, doctorCommand{delivered: file}.run(t.Context(), p.config, &out), errProblems)
	require.Contains(t, out.String(), `s1._domainkey.mail.acme-sender.net. TXT "v=DKIM1; k=rsa; p=`)
	if path := os.Getenv("DOCTOR_OUT"); path != "" {
		require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	}
}

// One click unsubscribes, a scanner that follows the link does not: asked as the doctor asks, for a contact that there is.
func TestTheDoctorsQuestionsMeanWhatTheySay(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "welcome", "Welcome")
	p.publish(t, addressJourney)
	who := newPerson()
	id := p.identify(t, who, nil)
	p.track(t, who, "Signed Up", nil)
	eventually(t, "the mail is sent", func() bool { m := p.messageAt(t, id, "welcome"); return m != nil && m.State == email.Sent })
	link := unsubscribeLink(t, caught(t, who.email)[0].ID, p.config.InboxURL)
	parsed, err := url.Parse(link)
	require.NoError(t, err)
	link = p.base + parsed.Path
	granted := func() string {
		status, body := p.do(t, http.MethodGet, "/v1/contacts/"+id+"/consents", p.config.AdminKey, "")
		require.Equal(t, 200, status)
		return string(body)
	}
	before := granted()
	answer, err := ask(t.Context(), http.MethodGet, link)
	require.NoError(t, err)
	require.Equal(t, doctor.Answer{Status: 200}, answer)
	require.Equal(t, before, granted(), "a GET unsubscribes nobody")
	answer, err = ask(t.Context(), http.MethodPost, link)
	require.NoError(t, err)
	require.Equal(t, doctor.Answer{Status: 200}, answer)
	require.NotEqual(t, before, granted(), "one click unsubscribes")
}

func foundBy(r doctor.Report, check string) string {
	text := ""
	for _, f := range r.Findings {
		if f.Check == check {
			text += f.Found + "\n"
		}
	}
	return text
}

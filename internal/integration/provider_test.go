package integration

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // SNS's first version
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

const (
	ourMessage = "0b9c5a0e-6f0b-4d5e-9a39-2f5c4f1f6a11"
	sesTopic   = "arn:aws:sns:eu-west-1:123456789012:mail"
)

var callTime = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

// signedCall is a provider's setting and a call that it signs.
type signedCall struct {
	setting string
	header  func(body string) http.Header
	body    string
}

func noHeader(string) http.Header { return http.Header{} }

func basic(string) http.Header {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth("hook", "a long password")
	return r.Header
}

func signedCalls(t *testing.T) map[string]signedCall {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	at := strconv.FormatInt(callTime.Unix(), 10)
	mac := func(key, text string) []byte {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	svix := "0123456789abcdef01234567"
	return map[string]signedCall{
		"sendgrid": {base64.StdEncoding.EncodeToString(der), func(body string) http.Header {
			sum := sha256.Sum256([]byte(at + body))
			signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
			require.NoError(t, err)
			h := http.Header{}
			h.Set("X-Twilio-Email-Event-Webhook-Timestamp", at)
			h.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(signature))
			return h
		}, `[{"sg_event_id":"1","event":"bounce","status":"5.1.1","throughline":"` + ourMessage + `","timestamp":1772355600}]`},
		"mailgun": {"key", noHeader, fmt.Sprintf(`{"signature":{"timestamp":"%s","token":"tok","signature":"%s"},"event-data":{"event":"failed","severity":"permanent","delivery-status":{"enhanced-code":"5.1.1"},"user-variables":{"throughline":"%s"}}}`,
			at, hex.EncodeToString(mac("key", at+"tok")), ourMessage)},
		"resend": {"whsec_" + base64.StdEncoding.EncodeToString([]byte(svix)), func(body string) http.Header {
			h := http.Header{}
			h.Set("Svix-Id", "msg_1")
			h.Set("Svix-Timestamp", at)
			h.Set("Svix-Signature", "v1,bm9wZQ== v1,"+base64.StdEncoding.EncodeToString(mac(svix, "msg_1."+at+"."+body)))
			return h
		}, `{"type":"email.bounced","data":{"bounce":{"type":"Permanent"},"headers":[{"name":"X-Throughline-Message","value":"` + ourMessage + `"}]}}`},
		"postmark": {"hook:a long password", basic, `{"RecordType":"Bounce","Type":"HardBounce","Metadata":{"throughline":"` + ourMessage + `"}}`},
		"brevo":    {"hook:a long password", basic, `{"event":"hard_bounce","X-Mailin-custom":"` + ourMessage + `"}`},
	}
}

func intakeOf(t *testing.T, name, setting string, take func([]email.Report) error, now time.Time) *Intake {
	t.Helper()
	for _, p := range Providers() {
		if p.Name == name {
			in, err := NewIntake(map[string]string{p.Env: setting}, Options{}, func(_ context.Context, _ time.Time, r []email.Report) error { return take(r) }, func() time.Time { return now })
			require.NoError(t, err)
			return in
		}
	}
	t.Fatal(name)
	return nil
}

// A provider's own call is kept and understood; a forged, changed or old one is not kept at all.
func TestIntakeVerifies(t *testing.T) {
	t.Parallel()
	for name, call := range signedCalls(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var taken []email.Report
			keep := func(r []email.Report) error { taken = append(taken, r...); return nil }
			in := intakeOf(t, name, call.setting, keep, callTime)
			require.NoError(t, in.TakeWebhook(t.Context(), name, call.header(call.body), []byte(call.body)))
			require.Len(t, taken, 1)
			require.Equal(t, []any{name, ourMessage, email.Bounced, email.Hard}, []any{taken[0].Source, taken[0].MessageID, taken[0].Status, taken[0].Bounce})
			require.NotEmpty(t, taken[0].Key)
			require.NotEmpty(t, taken[0].Raw)
			require.False(t, taken[0].At.IsZero())

			taken = nil
			refused := func(in *Intake, h http.Header, body string) {
				err := in.TakeWebhook(t.Context(), name, h, []byte(body))
				require.Equal(t, fault.Unauthorized, fault.KindOf(err), body)
				require.Empty(t, taken)
			}
			if name != "mailgun" { // its signature is in the body
				refused(in, http.Header{}, call.body)
			} else {
				refused(in, http.Header{}, strings.Replace(call.body, `"tok"`, `"tik"`, 1))
			}
			refused(in, http.Header{"Authorization": {"Basic bm9wZQ=="}}, `{}`)
			if name == "sendgrid" || name == "resend" {
				refused(in, call.header(call.body), call.body+" ")
			}
			if name == "sendgrid" || name == "resend" || name == "mailgun" {
				refused(intakeOf(t, name, call.setting, keep, callTime.Add(48*time.Hour)), call.header(call.body), call.body)
			}
			require.Equal(t, fault.NotFound, fault.KindOf(in.TakeWebhook(t.Context(), "nobody", nil, nil)))

			down := intakeOf(t, name, call.setting, func([]email.Report) error { return errors.New("down") }, callTime)
			require.Error(t, down.TakeWebhook(t.Context(), name, call.header(call.body), []byte(call.body)), "answered after the commit")
			require.Equal(t, map[bool]int{true: 429, false: 503}[name == "brevo"], down.Busy(name))
		})
	}
}

func snsCall(t *testing.T, key *rsa.PrivateKey, version string, fields map[string]string) []byte {
	t.Helper()
	all := map[string]string{"Type": "Notification", "MessageId": "sns-1", "TopicArn": sesTopic, "Timestamp": "2026-03-01T09:00:00Z", "SignatureVersion": version,
		"SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem"}
	for name, value := range fields {
		all[name] = value
	}
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	var m snsMessage
	require.NoError(t, json.Unmarshal(raw, &m))
	hash, sum := crypto.SHA256, sha256.Sum256([]byte(m.signed()))
	digest := sum[:]
	if version == "1" {
		old := sha1.Sum([]byte(m.signed())) //nolint:gosec // as above
		hash, digest = crypto.SHA1, old[:]
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, hash, digest)
	require.NoError(t, err)
	all["Signature"] = base64.StdEncoding.EncodeToString(signature)
	raw, err = json.Marshal(all)
	require.NoError(t, err)
	return raw
}

func TestVerifySNS(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	asked := 0
	find := func(context.Context, string) (*rsa.PublicKey, error) { asked++; return &key.PublicKey, nil }
	verify := func(body []byte) error { return verifySNS(t.Context(), body, []string{sesTopic}, find) }
	for _, version := range []string{"1", "2"} {
		require.NoError(t, verify(snsCall(t, key, version, map[string]string{"Message": "{}"})))
		require.NoError(t, verify(snsCall(t, key, version, map[string]string{"Message": "{}", "Subject": "Amazon SES"})))
		require.NoError(t, verify(snsCall(t, key, version, map[string]string{"Type": snsSubscription, "Token": "t", "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?x"})))
		require.Error(t, verify([]byte(strings.Replace(string(snsCall(t, key, version, map[string]string{"Message": "old"})), "old", "new", 1))))
	}
	require.ErrorIs(t, verify(snsCall(t, key, "2", map[string]string{"TopicArn": "arn:aws:sns:eu-west-1:666:mine"})), errTopic)
	asked = 0
	for _, address := range []string{
		"http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem", "https://evil.test/SimpleNotificationService-abc.pem",
		"https://sns.eu-west-1.amazonaws.com.evil.test/SimpleNotificationService-abc.pem", "https://sns.eu-west-1.amazonaws.com/other.pem",
		"https://sns.eu-west-1.amazonaws.com@evil.test/SimpleNotificationService-abc.pem", "",
	} {
		require.ErrorIs(t, verify(snsCall(t, key, "2", map[string]string{"SigningCertURL": address})), errCertificate, address)
	}
	require.Zero(t, asked, "no certificate is fetched from elsewhere")
	require.Error(t, verify(snsCall(t, key, "3", nil)))
	require.Error(t, verify([]byte("nonsense")))
}

// What asks for a confirmation is answered at Amazon's own address, or not at all.
func TestConfirmSNS(t *testing.T) {
	t.Parallel()
	var called []string
	client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		called = append(called, r.URL.Host)
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})}
	confirm := func(kind, address string) error {
		return confirmSNS(t.Context(), client, []byte(`{"Type":"`+kind+`","SubscribeURL":"`+address+`"}`))
	}
	require.NoError(t, confirm(snsSubscription, "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"))
	require.NoError(t, confirm(snsNotification, "https://evil.test/"))
	for _, address := range []string{"https://evil.test/", "http://sns.eu-west-1.amazonaws.com/", "https://sns.eu-west-1.amazonaws.com.evil.test/", "https://x@sns.eu-west-1.amazonaws.com/", "https://169.254.169.254/"} {
		require.Error(t, confirm(snsSubscription, address), address)
	}
	require.Equal(t, []string{"sns.eu-west-1.amazonaws.com"}, called)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestDecodeProviders(t *testing.T) {
	t.Parallel()
	ses := func(message string) string {
		raw, err := json.Marshal(map[string]string{"MessageId": "sns-1", "Message": message})
		require.NoError(t, err)
		return string(raw)
	}
	id := ourMessage
	for _, tc := range []struct {
		provider, body, id string
		status             email.Status
		bounce             email.Bounce
	}{
		{"ses", ses(`{"eventType":"Bounce","mail":{"tags":{"throughline":["` + id + `"]}},"bounce":{"bounceType":"Permanent","bouncedRecipients":[{"status":"5.1.1"}]}}`), id, email.Bounced, email.Hard},
		{"ses", ses(`{"notificationType":"Bounce","mail":{"commonHeaders":{"messageId":"<` + id + `@acme.test>"}},"bounce":{"bounceType":"Transient","bouncedRecipients":[{"status":"5.2.2"}]}}`), id, email.Bounced, email.Soft},
		{"ses", ses(`{"eventType":"Bounce","mail":{"tags":{"throughline":["` + id + `"]}},"bounce":{"bounceType":"Permanent","bouncedRecipients":[{"status":"5.7.1"}]}}`), id, email.Bounced, email.Block},
		{"ses", ses(`{"eventType":"Complaint","mail":{"headers":[{"name":"X-Throughline-Message","value":"` + id + `"}]},"complaint":{"timestamp":"2026-03-01T09:00:00Z"}}`), id, email.Complained, ""},
		{"ses", ses(`{"eventType":"Delivery","mail":{}}`), "", email.Delivered, ""},
		{"ses", ses(`Successfully validated SNS topic`), "", "", ""},
		{"sendgrid", `[{"event":"spamreport","smtp-id":"<` + id + `@acme.test>"}]`, id, email.Complained, ""},
		{"sendgrid", `[{"event":"bounce","type":"blocked","status":"5.1.1","throughline":"` + id + `"}]`, id, email.Bounced, email.Block},
		{"sendgrid", `[{"event":"open","throughline":"` + id + `"}]`, id, "", ""},
		{"sendgrid", `[7]`, "", "", ""},
		{"mailgun", `{"event-data":{"event":"failed","severity":"temporary","user-variables":{"throughline":"` + id + `"}}}`, id, email.Delayed, ""},
		{"mailgun", `{"event-data":{"event":"complained","message":{"headers":{"message-id":"` + id + `@acme.test"}}}}`, id, email.Complained, ""},
		{"postmark", `{"RecordType":"SpamComplaint","Metadata":{"throughline":"` + id + `"}}`, id, email.Complained, ""},
		{"postmark", `{"RecordType":"Bounce","Type":"AutoResponder","ID":7,"Metadata":{"throughline":"` + id + `"}}`, id, "", ""},
		{"postmark", `{"RecordType":"Bounce","Type":"SoftBounce","Metadata":{"throughline":"` + id + `"}}`, id, email.Bounced, email.Soft},
		{"resend", `{"type":"email.complained","data":{"message_id":"<` + id + `@acme.test>"}}`, id, email.Complained, ""},
		{"brevo", `{"event":"spam","message-id":"<` + id + `@acme.test>","ts_event":1772355600}`, id, email.Complained, ""},
		{"brevo", `{"event":"something new","message-id":"<x@elsewhere.test>"}`, "", "", ""},
	} {
		for _, p := range Providers() {
			if p.Name != tc.provider {
				continue
			}
			got, err := p.Decode([]byte(tc.body), callTime)
			require.NoError(t, err, tc.body)
			require.Len(t, got, 1)
			require.Equal(t, []any{tc.id, tc.status, tc.bounce}, []any{got[0].MessageID, got[0].Status, got[0].Bounce}, tc.body)
		}
	}
}

// Whatever a provider says, a report can be kept: the database refuses a bounce without its kind, and a kind without a bounce.
func FuzzDecodeProviders(f *testing.F) {
	for _, body := range []string{`[{"event":"bounce","status":"5.1.1"}]`, `{"event-data":{"event":"failed","severity":"permanent"}}`, `{"RecordType":"Bounce"}`,
		`{"type":"email.bounced"}`, `{"event":"hard_bounce","ts_event":1e9}`, `{"Message":"{\"eventType\":\"Bounce\"}"}`, `[]`, `null`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, p := range Providers() {
			reports, err := p.Decode([]byte(body), callTime)
			if err != nil {
				continue
			}
			for _, r := range reports {
				r = p.complete(r, callTime)
				require.NotEmpty(t, r.Key)
				require.Equal(t, r.Status == email.Bounced, r.Bounce != "", p.Name)
				require.False(t, r.At.After(callTime) || r.At.IsZero())
			}
		}
	})
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for env, setting := range map[string]string{"WEBHOOK_SENDGRID_KEY": "x", "WEBHOOK_RESEND_SECRET": "whsec_x", "WEBHOOK_POSTMARK_SECRET": "short", "WEBHOOK_BREVO_SECRET": "user:short"} {
		_, err := NewIntake(map[string]string{env: setting}, Options{}, nil, nil)
		require.ErrorContains(t, err, env)
		require.NotContains(t, err.Error(), setting+" ", "a secret is not told")
	}
}

package integration

import (
	"context"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxSkew is how old a signed call may be, where the signature holds a time.
const maxSkew = 5 * time.Minute

var (
	errOld    = errors.New("the call is too old, or from the future")
	errSecret = errors.New("the setting can't be read")
)

// recent checks the time that was signed, in seconds.
func recent(written string, now time.Time, within time.Duration) error {
	seconds, err := strconv.ParseInt(written, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > within {
		return errOld
	}
	return nil
}

// openECDSA reads a public key as base64 of DER, as SendGrid shows it, and checks signatures over time and body.
func openECDSA(setting string, _ *http.Client) (Verifier, error) {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(setting))
	if err != nil {
		return nil, errSecret
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	key, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok {
		return nil, errSecret
	}
	return func(_ context.Context, header http.Header, body []byte, now time.Time) error {
		at := header.Get("X-Twilio-Email-Event-Webhook-Timestamp")
		signature, err := base64.StdEncoding.DecodeString(header.Get("X-Twilio-Email-Event-Webhook-Signature"))
		if err != nil {
			return errSigned
		}
		sum := sha256.Sum256(append([]byte(at), body...))
		if !ecdsa.VerifyASN1(key, sum[:], signature) {
			return errSigned
		}
		return recent(at, now, 24*time.Hour) // it tries again for a day, and what it says counts once
	}, nil
}

// openSvix checks calls of Standard Webhooks, as Resend makes them.
func openSvix(setting string, _ *http.Client) (Verifier, error) {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(setting), webhookSecretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < 16 {
		return nil, errSecret
	}
	return func(_ context.Context, header http.Header, body []byte, now time.Time) error {
		id, at := header.Get("Svix-Id"), header.Get("Svix-Timestamp")
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "."))
		mac.Write(body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		for given := range strings.FieldsSeq(header.Get("Svix-Signature")) {
			if hmac.Equal([]byte(want), []byte(given)) {
				return recent(at, now, maxSkew) // each attempt is signed anew
			}
		}
		return errSigned
	}, nil
}

// openBasic checks a shared secret, user:password, in the address that the provider calls.
func openBasic(setting string, _ *http.Client) (Verifier, error) {
	user, password, ok := strings.Cut(setting, ":")
	if !ok || len(password) < 12 {
		return nil, errors.New("it is user:password, with 12 characters at least")
	}
	want := sha256.Sum256([]byte(user + ":" + password))
	return func(_ context.Context, header http.Header, _ []byte, _ time.Time) error {
		givenUser, givenPassword, ok := (&http.Request{Header: header}).BasicAuth()
		given := sha256.Sum256([]byte(givenUser + ":" + givenPassword))
		if !ok || subtle.ConstantTimeCompare(want[:], given[:]) != 1 {
			return errSigned
		}
		return nil
	}, nil
}

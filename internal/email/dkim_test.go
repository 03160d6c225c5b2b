package email_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

func keyPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestBuildSigns(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaPublic, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	require.NoError(t, err)
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		pem    []byte
		record string
	}{
		"rsa":     {keyPEM(t, rsaKey), "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(rsaPublic)},
		"ed25519": {keyPEM(t, edKey), "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(edPublic)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := headers()
			signer, err := email.NewSigner(tc.pem, "s1", "acme.test")
			require.NoError(t, err)
			h.DKIM = []*email.Signer{signer}
			raw := build(t, h)
			require.Equal(t, raw, build(t, h), "a resend has the same bytes")
			verify := func(message []byte) error {
				found, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) {
					require.Equal(t, "s1._domainkey.acme.test", domain)
					return []string{tc.record}, nil
				}})
				require.NoError(t, err)
				require.Len(t, found, 1)
				for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type"} {
					require.Contains(t, found[0].HeaderKeys, name)
				}
				return found[0].Err
			}
			require.NoError(t, verify(raw))
			require.Error(t, verify(bytes.Replace(raw, []byte("acme.test/u/"), []byte("evil.test/u/"), 1)), "the unsubscribe address is signed")
			require.Error(t, verify(bytes.Replace(raw, []byte("\r\nSubject: "), []byte("\r\nSubject: x\r\nSubject: "), 1)), "a second subject breaks the signature")
		})
	}
}

// Two signatures, for servers that don't know Ed25519 and for those that do. Each holds by itself.
func TestBuildSignsTwice(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	rsaPublic, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	require.NoError(t, err)
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	records := map[string]string{
		"r1._domainkey.acme.test": "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(rsaPublic),
		"e1._domainkey.acme.test": "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(edPublic),
	}
	h := headers()
	for selector, key := range map[string]any{"r1": rsaKey, "e1": edKey} {
		signer, err := email.NewSigner(keyPEM(t, key), selector, "acme.test")
		require.NoError(t, err)
		h.DKIM = append(h.DKIM, signer)
	}
	h.Extra = [][2]string{{"X-SES-MESSAGE-TAGS", "throughline=x"}}
	raw := build(t, h)
	require.Equal(t, raw, build(t, h), "a resend has the same bytes")
	require.Contains(t, string(raw), "X-SES-MESSAGE-TAGS: throughline=x\r\n")
	found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) { return []string{records[domain]}, nil }})
	require.NoError(t, err)
	require.Len(t, found, 2)
	for _, v := range found {
		require.NoError(t, v.Err)
		signed := strings.ToLower(strings.Join(v.HeaderKeys, " ") + " ")
		for name, times := range map[string]int{"from": 2, "subject": 2, "list-unsubscribe": 1, "list-unsubscribe-post": 1} {
			require.Equal(t, times, strings.Count(" "+signed, " "+name+" "), name)
		}
	}
	_, err = email.NewSigner(keyPEM(t, func() any { k, _ := rsa.GenerateKey(rand.Reader, 1024); return k }()), "s1", "acme.test")
	require.ErrorContains(t, err, "2048")
}

func TestNewSignerRefuses(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	good := keyPEM(t, key)
	for _, tc := range []struct{ pem, selector, domain string }{
		{"", "s1", "acme.test"}, {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----", "s1", "acme.test"},
		{string(good), "s 1", "acme.test"}, {string(good), "s1", "acme.test; x=y"}, {string(good), "", "acme.test"},
	} {
		_, err := email.NewSigner([]byte(tc.pem), tc.selector, tc.domain)
		require.Error(t, err)
		require.False(t, strings.Contains(err.Error(), "BEGIN"))
	}
}

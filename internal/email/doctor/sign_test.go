package doctor_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"

	"github.com/emersion/go-msgauth/dkim"
)

// resigned takes the signature off and signs these headers alone, as some relays do.
func resigned(keys ...string) func(w *world, raw []byte) []byte {
	return func(_ *world, raw []byte) []byte {
		raw = raw[bytes.Index(raw, []byte("\r\nDate:"))+2:]
		block, _ := pem.Decode(rsaKey())
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			panic(err)
		}
		var out bytes.Buffer
		if err := dkim.Sign(&out, bytes.NewReader(raw), &dkim.SignOptions{Domain: domain, Selector: "s1", Signer: key.(crypto.Signer), HeaderKeys: keys}); err != nil {
			panic(err)
		}
		return out.Bytes()
	}
}

package email

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"time"
)

// ServerFacts is what a conversation with the mail server shows before any mail.
type ServerFacts struct {
	Address, Host    string
	Loopback         bool
	Secure           bool
	TLSVersion       uint16
	CertificateUntil time.Time
	Phase            string // where it ended, with Err
	Err              error
}

// Look greets the server as for a mail, and leaves.
func (t *Transport) Look(ctx context.Context) ServerFacts {
	facts := ServerFacts{Address: t.relay.address, Host: t.relay.host, Loopback: t.relay.loopback}
	c, failed := t.dial(ctx)
	if c == nil {
		facts.Phase, facts.Err = failed.Phase, failed.Err
		if facts.Err == nil {
			facts.Err = errRefused
		}
		return facts
	}
	defer c.quit()
	facts.Secure = c.secure
	if secured, ok := c.conn.(*tls.Conn); ok {
		state := secured.ConnectionState()
		facts.TLSVersion = state.Version
		if len(state.PeerCertificates) > 0 {
			facts.CertificateUntil = state.PeerCertificates[0].NotAfter
		}
	}
	return facts
}

// DKIMKey is the public half of a key, as DNS has to have it.
type DKIMKey struct {
	Domain, Selector string
	Kind             string // rsa or ed25519
	Bits             int
	Public           string // base64
}

// Public is the public half of the signer's key.
func (s *Signer) Public() DKIMKey {
	key := DKIMKey{Domain: s.domain, Selector: s.selector}
	switch public := s.key.Public().(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return key // an RSA key can always be written
		}
		key.Kind, key.Bits, key.Public = "rsa", public.N.BitLen(), base64.StdEncoding.EncodeToString(der)
	case ed25519.PublicKey:
		key.Kind, key.Bits, key.Public = "ed25519", 8*len(public), base64.StdEncoding.EncodeToString(public) // RFC 8463, section 4.2
	}
	return key
}

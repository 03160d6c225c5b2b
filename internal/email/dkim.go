package email

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"throughline.dev/throughline/internal/fault"
)

const minRSABits = 2048

// Signer signs mail with DKIM. Leave it out when the relay signs.
type Signer struct {
	domain, selector string
	key              crypto.Signer
}

// NewSigner takes a private key (RSA or Ed25519) as PEM, and where its public half stands in DNS: selector._domainkey.domain.
func NewSigner(keyPEM []byte, selector, domain string) (*Signer, error) {
	key, err := mail.PrivKeyFromPEM(keyPEM)
	if err != nil {
		return nil, fault.New(fault.Invalid, "bad_dkim_key", "The DKIM key is no RSA or Ed25519 private key in PEM.")
	}
	if k, ok := key.(*rsa.PrivateKey); ok && k.N.BitLen() < minRSABits {
		return nil, fault.New(fault.Invalid, "bad_dkim_key", "The DKIM key is too short: use 2048 bits.")
	}
	if !hostName(domain) || !hostName(selector) {
		return nil, fault.New(fault.Invalid, "bad_dkim_domain", "The DKIM domain and selector are host names.")
	}
	return &Signer{domain: strings.ToLower(domain), selector: selector, key: key}, nil
}

// sign is called by Build with the finished message. Its time is the message's date, so that the bytes stay the same.
// RFC 8058 wants both List-Unsubscribe headers signed, which go-mail leaves out by itself. A header that is named and not
// there can't be added on the way; From and Subject are named twice for the same reason.
func (s *Signer) sign(m *mail.Msg, date time.Time) ([]byte, error) {
	signer := mail.NewDKIMSigner(s.domain, s.selector, s.key)
	signer.NowFunc = func() time.Time { return date }
	signer.SignHeaders("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type", "X-Throughline-Message")
	signer.OversignHeaders("From", "Subject")
	m.SetDKIM(signer)
	var buf bytes.Buffer
	if _, err := m.WriteTo(&buf); err != nil {
		return nil, err
	}
	return unfoldTags(buf.Bytes()), nil
}

// unfoldTags mends the signature header. go-mail signs each of its tags in one line, and then writes tags that are longer
// than a line, such as our h=, folded in the middle: the blank of that fold was not signed. Folds between tags stay.
func unfoldTags(message []byte) []byte {
	end := firstField(message)
	header := bytes.ReplaceAll(message[:end], []byte("; \r\n "), []byte(";\x00"))
	header = bytes.ReplaceAll(header, []byte("\r\n "), nil)
	header = bytes.ReplaceAll(header, []byte(";\x00"), []byte(";\r\n "))
	return append(header, message[end:]...)
}

// firstField tells where the first header field ends, with all of its folded lines.
func firstField(message []byte) int {
	end := 0
	for end < len(message) {
		i := bytes.Index(message[end:], []byte("\r\n"))
		if i < 0 {
			return len(message)
		}
		if end += i + 2; end >= len(message) || message[end] != ' ' {
			break
		}
	}
	return end
}

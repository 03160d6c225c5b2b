package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"throughline.dev/throughline/internal/fault"
)

// Headers are what a message carries besides its content.
type Headers struct {
	ID              string // our message id, in X-Throughline-Message
	MessageID       string // without angle brackets
	Date            time.Time
	Class           Class
	ListUnsubscribe string      // one https address (http where no TLS is at hand); marketing mail has it
	DKIM            []*Signer   // a signature each; none when the relay signs
	Extra           [][2]string // names and values that our own code has made
}

const headerMessage = mail.Header("X-Throughline-Message")

// Build makes the bytes of a mail: multipart/alternative, text first. The same input gives the same bytes, so that a resend is
// recognised as one. Marketing mail carries the one-click unsubscribe of RFC 8058; transactional mail says that it is
// auto-generated (RFC 3834), which marketing mail leaves out: mailbox providers take it for a bounce or a robot's reply.
func Build(from, to netmail.Address, r Rendered, h Headers) ([]byte, error) {
	if err := checkHeaders(h); err != nil {
		return nil, err
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP), mail.WithBoundary(boundary(h)))
	for _, a := range []struct {
		address netmail.Address
		set     func(*netmail.Address)
	}{{from, m.FromMailAddress}, {to, func(a *netmail.Address) { m.ToMailAddress(a) }}} {
		address, err := ParseAddress(a.address.Address)
		if err != nil {
			return nil, err
		}
		a.set(&netmail.Address{Name: oneLine(a.address.Name), Address: address})
	}
	m.Subject(oneLine(r.Subject))
	m.SetMessageIDWithValue(h.MessageID)
	m.SetDateWithValue(h.Date.UTC())
	if h.ID != "" {
		m.SetGenHeader(headerMessage, h.ID)
	}
	if h.Class == Transactional {
		m.SetGenHeader("Auto-Submitted", "auto-generated")
	}
	if h.ListUnsubscribe != "" {
		// Written as it is: a fold within the address would break it. There may be one such header only, for go-mail writes them in the order of a map.
		m.SetGenHeaderPreformatted(mail.HeaderListUnsubscribe, "<"+h.ListUnsubscribe+">")
		m.SetGenHeader(mail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	for _, header := range h.Extra {
		m.SetGenHeader(mail.Header(header[0]), header[1])
	}
	m.SetBodyString(mail.TypeTextPlain, r.Text)
	m.AddAlternativeString(mail.TypeTextHTML, r.HTML)
	return sign(m, h)
}

// sign writes the message behind a signature of each signer. Each is made over the message alone, and not over the other's signature.
func sign(m *mail.Msg, h Headers) ([]byte, error) {
	var signatures []byte
	for _, signer := range h.DKIM {
		signed, err := signer.sign(m, h.Date)
		if err != nil {
			return nil, fmt.Errorf("sign message: %w", err)
		}
		signatures = append(signatures, signed[:firstField(signed)]...)
	}
	m.SetDKIM(nil)
	var buf bytes.Buffer
	if _, err := m.WriteTo(&buf); err != nil {
		return nil, fmt.Errorf("build message: %w", err)
	}
	return append(signatures, buf.Bytes()...), nil
}

func checkHeaders(h Headers) error {
	if strings.Count(h.MessageID, "@") != 1 || strings.ContainsFunc(h.MessageID, notHeaderToken) || len(h.MessageID) > maxAddress {
		return fault.New(fault.Invalid, "bad_message_id", "The Message-ID looks like id@domain.")
	}
	if strings.ContainsFunc(h.ID, notHeaderToken) {
		return fault.New(fault.Invalid, "bad_message_id", "The message id is a single word.")
	}
	if h.Date.IsZero() {
		return fault.New(fault.Invalid, "no_date", "A message needs a date.")
	}
	if h.Class == Marketing && h.ListUnsubscribe == "" {
		return fault.New(fault.Invalid, "no_unsubscribe", "Marketing mail needs an unsubscribe address.")
	}
	if h.ListUnsubscribe == "" {
		return nil
	}
	u, err := url.Parse(h.ListUnsubscribe)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || strings.ContainsFunc(h.ListUnsubscribe, notHeaderToken) {
		return fault.New(fault.Invalid, "bad_unsubscribe", "The unsubscribe address is a complete https address.")
	}
	if len(h.ListUnsubscribe) > 900 { // a header line has 998 bytes, and this one can't be folded
		return fault.New(fault.Invalid, "bad_unsubscribe", "The unsubscribe address is too long.")
	}
	return nil
}

// notHeaderToken finds what would end a header, a word or an angle bracket.
func notHeaderToken(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' || r == ',' }

// boundary comes from the identity of the message: random ones would change the bytes of a resend.
func boundary(h Headers) string {
	sum := sha256.Sum256([]byte("boundary\x00" + h.MessageID + "\x00" + h.ID))
	return "tl_" + hex.EncodeToString(sum[:20])
}

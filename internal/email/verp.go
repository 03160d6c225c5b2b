package email

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/fault"
)

const (
	verpMAC   = 10 // bytes: nobody guesses 80 bits by sending mail
	verpToken = 42 // characters, of 16 + 10 bytes in base32
)

// BounceAddresses makes an envelope sender for each message, and reads them back: what is returned to one tells by itself which message it
// is about. Servers may change the case of an address, so that tokens are base32.
type BounceAddresses struct {
	local, domain string
	key           []byte
}

// NewBounceAddresses takes the address that returned mail comes to, such as bounce@mail.example.com, and a secret key.
func NewBounceAddresses(address string, key []byte) (BounceAddresses, error) {
	parsed, err := ParseAddress(address)
	if err != nil {
		return BounceAddresses{}, err
	}
	local, domain, _ := strings.Cut(parsed, "@")
	if len(local)+1+verpToken > maxLocalPart || strings.Contains(local, "+") {
		return BounceAddresses{}, fault.New(fault.Invalid, "bad_bounce_address", "The part of the bounce address before the @ has 21 characters at most, and no plus.")
	}
	return BounceAddresses{local: strings.ToLower(local), domain: domain, key: key}, nil
}

// Of is the envelope sender of a message.
func (b BounceAddresses) Of(messageID string) (string, error) {
	id, err := uuid.Parse(messageID)
	if err != nil {
		return "", err
	}
	return b.local + "+" + verpEncoding().EncodeToString(append(id[:], b.mac(id[:])...)) + "@" + b.domain, nil
}

// Takes tells whether mail to an address is for us: ours is whether it is at all, messageID which message it names. That is empty for the
// plain address; a token that we did not make is not ours.
func (b BounceAddresses) Takes(address string) (messageID string, ours bool) {
	address = strings.ToLower(strings.Trim(strings.TrimSpace(address), "<>"))
	local, domain, _ := strings.Cut(address, "@")
	if domain != b.domain {
		return "", false
	}
	if local == b.local {
		return "", true
	}
	token, ok := strings.CutPrefix(local, b.local+"+")
	if !ok || len(token) != verpToken {
		return "", false
	}
	raw, err := verpEncoding().DecodeString(token)
	if err != nil || !hmac.Equal(raw[16:], b.mac(raw[:16])) {
		return "", false
	}
	return uuid.UUID(raw[:16]).String(), true
}

func (b BounceAddresses) mac(id []byte) []byte {
	h := hmac.New(sha256.New, b.key)
	h.Write([]byte("bounce\x00"))
	h.Write(id)
	return h.Sum(nil)[:verpMAC]
}

func verpEncoding() *base32.Encoding {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
}

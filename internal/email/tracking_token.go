package email

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/google/uuid"
)

// TrackingKind is what a tracking token is for. It is signed, and not written: a token of one kind is none of the other.
type TrackingKind byte

// The kinds: a link, and the picture by which an open is seen.
const (
	TrackClick TrackingKind = 'c'
	TrackOpen  TrackingKind = 'o'
)

// HoneypotLink is the number of the link that no person sees.
const HoneypotLink = 0xffff

// TrackingKey signs tracking tokens. Its id stands in each token, so that a newer key can take over while old mail stays around.
type TrackingKey struct {
	ID     byte
	Secret []byte
}

// TrackingTokens signs and reads the references that stand in tracked links: which message, and which of its links. A token holds no
// target and no address; where a link leads is looked up from what was stored when the mail was made.
type TrackingTokens struct {
	keys []TrackingKey // the first one signs
}

// NewTrackingTokens makes a signer. The first key signs; all are known.
func NewTrackingTokens(keys ...TrackingKey) TrackingTokens { return TrackingTokens{keys: keys} }

// The layout: key id, message, link number, and the first half of the HMAC, which RFC 2104 allows.
const (
	trackingMAC  = 16
	trackingBody = 1 + 16 + 2
)

// Sign makes the token of a message's link; of an open, the number is 0.
func (t TrackingTokens) Sign(kind TrackingKind, messageID string, link int) (string, error) {
	id, err := uuid.Parse(messageID)
	if err != nil {
		return "", err
	}
	raw := make([]byte, 0, trackingBody+trackingMAC)
	raw = append(append(raw, t.keys[0].ID), id[:]...)
	raw = binary.BigEndian.AppendUint16(raw, uint16(link)) //nolint:gosec // MaxLinks bounds it
	raw = append(raw, t.keys[0].mac(kind, raw)...)
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Read checks a token in constant time and tells which message and link it names.
func (t TrackingTokens) Read(kind TrackingKind, token string) (messageID string, link int, ok bool) {
	if len(token) != base64.RawURLEncoding.EncodedLen(trackingBody+trackingMAC) { // the decoder passes over line breaks
		return "", 0, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != trackingBody+trackingMAC {
		return "", 0, false
	}
	body := raw[:trackingBody]
	at := slices.IndexFunc(t.keys, func(k TrackingKey) bool { return k.ID == body[0] })
	if at < 0 || !hmac.Equal(t.keys[at].mac(kind, body), raw[trackingBody:]) {
		return "", 0, false
	}
	return uuid.UUID(body[1:17]).String(), int(binary.BigEndian.Uint16(body[17:])), true
}

func (k TrackingKey) mac(kind TrackingKind, body []byte) []byte {
	h := hmac.New(sha256.New, k.Secret)
	h.Write([]byte{byte(kind)})
	h.Write(body)
	return h.Sum(nil)[:trackingMAC]
}

package email

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"
)

const (
	tokenVersion = "v1"
	testVersion  = "t1" // of a mail that somebody has sent to look at it
)

// UnsubscribeTokens signs and reads the tokens of unsubscribe links. A token names the contact and the message that it came
// with, holds no address, and never expires: old mail stays around (RFC 8058 wants the URI alone to suffice).
type UnsubscribeTokens struct {
	key []byte
}

// NewUnsubscribeTokens makes a signer with a secret key.
func NewUnsubscribeTokens(key []byte) UnsubscribeTokens { return UnsubscribeTokens{key: key} }

// Sign makes the token for a contact's message. Both are UUIDs.
func (t UnsubscribeTokens) Sign(contactID, messageID string) (string, error) {
	contact, err := uuid.Parse(contactID)
	if err != nil {
		return "", err
	}
	message, err := uuid.Parse(messageID)
	if err != nil {
		return "", err
	}
	payload := tokenVersion + "." + base64.RawURLEncoding.EncodeToString(append(contact[:], message[:]...))
	return payload + "." + t.mac(payload), nil
}

// SignTest makes the token for a mail that is only looked at. It names nobody, so that nobody is unsubscribed by it.
func (t UnsubscribeTokens) SignTest(_, messageID string) (string, error) {
	message, err := uuid.Parse(messageID)
	if err != nil {
		return "", err
	}
	payload := testVersion + "." + base64.RawURLEncoding.EncodeToString(message[:])
	return payload + "." + t.mac(payload), nil
}

// IsTest tells whether a token is one of SignTest.
func (t UnsubscribeTokens) IsTest(token string) bool {
	cut := strings.LastIndexByte(token, '.')
	return cut >= 0 && strings.HasPrefix(token, testVersion+".") && hmac.Equal([]byte(t.mac(token[:cut])), []byte(token[cut+1:]))
}

// Read checks a token and tells whom and which message it names.
func (t UnsubscribeTokens) Read(token string) (contactID, messageID string, ok bool) {
	cut := strings.LastIndexByte(token, '.')
	if cut < 0 || !hmac.Equal([]byte(t.mac(token[:cut])), []byte(token[cut+1:])) {
		return "", "", false
	}
	encoded, ok := strings.CutPrefix(token[:cut], tokenVersion+".")
	if !ok {
		return "", "", false
	}
	ids, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || len(ids) != 32 {
		return "", "", false
	}
	return uuid.UUID(ids[:16]).String(), uuid.UUID(ids[16:]).String(), true
}

func (t UnsubscribeTokens) mac(payload string) string {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

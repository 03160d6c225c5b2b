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
	topicVersion = "c1" // of a link that confirms a topic
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
	ids, ok := t.payload(token, tokenVersion)
	if !ok || len(ids) != 32 {
		return "", "", false
	}
	return uuid.UUID(ids[:16]).String(), uuid.UUID(ids[16:]).String(), true
}

// SignTopic makes the token by which a contact confirms that it wants mail of a topic.
func (t UnsubscribeTokens) SignTopic(contactID, topic string) (string, error) {
	contact, err := uuid.Parse(contactID)
	if err != nil {
		return "", err
	}
	payload := topicVersion + "." + base64.RawURLEncoding.EncodeToString(append(contact[:], topic...))
	return payload + "." + t.mac(payload), nil
}

// ReadTopic checks a token of SignTopic.
func (t UnsubscribeTokens) ReadTopic(token string) (contactID, topic string, ok bool) {
	payload, ok := t.payload(token, topicVersion)
	if !ok || len(payload) <= 16 {
		return "", "", false
	}
	return uuid.UUID(payload[:16]).String(), string(payload[16:]), true
}

// payload is what a token of a version holds, if its signature is ours.
func (t UnsubscribeTokens) payload(token, version string) ([]byte, bool) {
	cut := strings.LastIndexByte(token, '.')
	if cut < 0 || !hmac.Equal([]byte(t.mac(token[:cut])), []byte(token[cut+1:])) {
		return nil, false
	}
	encoded, ok := strings.CutPrefix(token[:cut], version+".")
	if !ok {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(encoded)
	return payload, err == nil
}

func (t UnsubscribeTokens) mac(payload string) string {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

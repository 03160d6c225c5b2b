package email

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"strings"

	"golang.org/x/net/idna"

	"throughline.dev/throughline/internal/fault"
)

// The limits of RFC 5321, section 4.5.3.1.
const (
	maxLocalPart = 64
	maxDomain    = 255
	maxAddress   = 254
)

// ParseAddress checks one bare address and writes its domain as lower-case ASCII. The local part stays as typed: only the
// receiving server knows whether its case matters. The error never quotes the address.
func ParseAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 || len(s) > 2*maxAddress {
		return "", errAddress("An e-mail address looks like name@example.com.")
	}
	local, domain := s[:at], s[at+1:]
	if !dotAtom(local) {
		return "", errAddress("The part of the e-mail address before the @ has a character that mail servers do not take.")
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(domain, "."))
	if again, errAgain := idna.Lookup.ToASCII(domain); err != nil || errAgain != nil || again != domain || !hostName(domain) {
		return "", errAddress("The domain of the e-mail address is not valid.")
	}
	address := local + "@" + strings.ToLower(domain)
	if len(local) > maxLocalPart || len(domain) > maxDomain || len(address) > maxAddress {
		return "", errAddress("The e-mail address is too long.")
	}
	return address, nil
}

// ParseMailbox reads "Name <address>" or a bare address: a sender in the configuration.
func ParseMailbox(s string) (mail.Address, error) {
	if strings.ContainsAny(s, "\r\n") {
		return mail.Address{}, errAddress("The sender is a single line.")
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil {
		return mail.Address{}, errAddress("The sender looks like Name <name@example.com>.")
	}
	address, err := ParseAddress(parsed.Address)
	if err != nil {
		return mail.Address{}, err
	}
	return mail.Address{Name: parsed.Name, Address: address}, nil
}

// AddressKey is the form in which addresses are compared: suppression and identity look-ups. All of it is lower case,
// since no provider tells two people apart by the case of a letter.
func AddressKey(s string) (string, error) {
	address, err := ParseAddress(s)
	if err != nil {
		return "", err
	}
	return strings.ToLower(address), nil
}

// Fingerprint stands for an address whose owner asked to be forgotten: it still suppresses, and tells nothing without the key.
// An address that can't be normalised has the fingerprint of its lower-case text.
func Fingerprint(key []byte, address string) string {
	normal, err := AddressKey(address)
	if err != nil {
		normal = strings.ToLower(strings.TrimSpace(address))
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(normal))
	return hex.EncodeToString(mac.Sum(nil))
}

func errAddress(message string) error {
	return fault.New(fault.Invalid, "invalid_address", message)
}

// dotAtom is RFC 5322 without quoted strings: nobody has one, and many servers refuse them. ASCII alone: SMTPUTF8 is not offered widely.
func dotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !isNamePart(c) && strings.IndexByte(".!#$%&'*+/=?^`{|}~", c) < 0 {
			return false
		}
	}
	return true
}

// hostName wants letters, digits and dashes in labels. A single label is allowed: localhost, and hosts within a company.
func hostName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'; c != '-' && !letter && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

package email

import (
	"slices"
	"strings"
)

// The verdicts on an address: what is known of it without writing to it.
const (
	VerdictDeliverable   = "deliverable"   // its domain takes mail, and nothing speaks against it
	VerdictRisky         = "risky"         // mail may arrive, and may do little good
	VerdictUndeliverable = "undeliverable" // mail can't arrive
	VerdictUnknown       = "unknown"       // its domain was not looked up yet, or nobody answered
)

// The reasons of a verdict, in the order in which they are told.
const (
	AddressSyntax     = "syntax"     // this is no address
	AddressNoMX       = "no_mx"      // its domain has no mail server, or does not exist
	AddressNullMX     = "null_mx"    // its domain says that it takes no mail (RFC 7505)
	AddressDisposable = "disposable" // a mailbox for a few minutes
	AddressRole       = "role"       // it belongs to a task, not to a person
	AddressTypo       = "typo"       // a letter away from a large provider
)

// AddressVerdict is a verdict with its reasons.
type AddressVerdict struct {
	Verdict string // empty: there is no address
	Reasons []string
}

// JudgeAddress gives the verdict on an address whose domain is in a state. It asks nobody, so that it may run while events are taken in.
func JudgeAddress(address string, domain MailDomain) AddressVerdict {
	if strings.TrimSpace(address) == "" {
		return AddressVerdict{}
	}
	key, err := AddressKey(address)
	if err != nil {
		return AddressVerdict{Verdict: VerdictUndeliverable, Reasons: []string{AddressSyntax}}
	}
	local, host, _ := strings.Cut(key, "@")
	var reasons []string
	if isDisposable(host) {
		reasons = append(reasons, AddressDisposable)
	}
	if isRole(local) {
		reasons = append(reasons, AddressRole)
	}
	if likelyDomain(host) != "" {
		reasons = append(reasons, AddressTypo)
	}
	return WithDomain(reasons, domain)
}

// WithDomain is the verdict on an address that there are reasons about already, when its domain is in a state.
func WithDomain(reasons []string, domain MailDomain) AddressVerdict {
	switch domain {
	case DomainNone:
		reasons = append([]string{AddressNoMX}, reasons...)
	case DomainRefuses:
		reasons = append([]string{AddressNullMX}, reasons...)
	case DomainTakesMail, DomainUnknown:
	}
	return AddressVerdict{Verdict: verdictOf(reasons, domain), Reasons: reasons}
}

func verdictOf(reasons []string, domain MailDomain) string {
	switch {
	case slices.Contains(reasons, AddressNoMX), slices.Contains(reasons, AddressNullMX), slices.Contains(reasons, AddressSyntax):
		return VerdictUndeliverable
	case len(reasons) > 0:
		return VerdictRisky
	case domain == DomainTakesMail:
		return VerdictDeliverable
	}
	return VerdictUnknown
}

// SuggestAddress is the address that was probably meant; empty: there is nothing to suggest.
func SuggestAddress(address string) string {
	key, err := ParseAddress(address)
	if err != nil {
		return ""
	}
	at := strings.LastIndexByte(key, '@')
	meant := likelyDomain(key[at+1:])
	if meant == "" {
		return ""
	}
	return key[:at+1] + meant
}

// DomainOf is the domain of an address; empty: it is none.
func DomainOf(address string) string {
	key, err := AddressKey(address)
	if err != nil {
		return ""
	}
	return key[strings.LastIndexByte(key, '@')+1:]
}

// AddressReasons are the reasons of verdicts with their words, as the end of a sentence.
func AddressReasons() [][2]string {
	return [][2]string{
		{AddressSyntax, "this is no e-mail address"},
		{AddressNoMX, "the domain has no mail server, or does not exist"},
		{AddressNullMX, "the domain says that it takes no mail"},
		{AddressDisposable, "the domain hands out mailboxes for a few minutes"},
		{AddressRole, "the address belongs to a task and not to a person"},
		{AddressTypo, "the domain is a letter away from that of a large provider"},
	}
}

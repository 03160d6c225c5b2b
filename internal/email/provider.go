package email

import (
	"slices"
	"strings"
)

// ProviderRelay stands for the server that we hand all mail to: what it says before it has heard a recipient is about itself.
const ProviderRelay = "relay"

// ProviderOf names who takes in the mail of an address: a provider of many domains by its name, everybody else by the domain. It is empty for
// what is no address. Nobody is asked: an MX that can't be looked up now must not let a mail wait.
func ProviderOf(address string) string {
	_, domain, ok := strings.Cut(address, "@")
	if !ok || domain == "" {
		return ""
	}
	domain = strings.ToLower(domain[strings.LastIndex(domain, "@")+1:])
	for _, p := range providers() {
		if slices.Contains(p.domains, domain) {
			return p.name
		}
	}
	// Those that have a domain in each country.
	for _, family := range []struct{ prefix, name string }{{"yahoo.", "yahoo"}, {"hotmail.", "outlook"}, {"live.", "outlook"}, {"outlook.", "outlook"}} {
		if rest, ok := strings.CutPrefix(domain, family.prefix); ok && strings.Count(rest, ".") <= 1 && len(rest) <= len("com.mx") {
			return family.name
		}
	}
	return domain
}

// IsProvider tells whether a name can be one that ProviderOf gives, or that of the relay.
func IsProvider(name string) bool {
	if name == ProviderRelay || slices.ContainsFunc(providers(), func(p provider) bool { return p.name == name }) {
		return true
	}
	return strings.Contains(name, ".") && strings.ToLower(name) == name && hostName(name) && ProviderOf("x@"+name) == name
}

type provider struct {
	name    string
	domains []string
}

// providers are the well-known ones with more than one domain.
func providers() []provider {
	return []provider{
		{"gmail", []string{"gmail.com", "googlemail.com"}},
		{"outlook", []string{"msn.com", "passport.com", "windowslive.com"}},
		{"yahoo", []string{"ymail.com", "rocketmail.com", "myyahoo.com", "aol.com", "aim.com", "verizon.net"}},
		{"icloud", []string{"icloud.com", "me.com", "mac.com"}},
		{"proton", []string{"proton.me", "protonmail.com", "protonmail.ch", "pm.me"}},
		{"gmx", []string{"gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "gmx.eu", "web.de", "mail.com"}},
		{"t-online", []string{"t-online.de", "magenta.de"}},
		{"orange", []string{"orange.fr", "wanadoo.fr"}},
		{"comcast", []string{"comcast.net", "xfinity.com"}},
		{"fastmail", []string{"fastmail.com", "fastmail.fm"}},
		{"zoho", []string{"zoho.com", "zohomail.com", "zoho.eu", "zohomail.eu"}},
		{"mail.ru", []string{"mail.ru", "inbox.ru", "list.ru", "bk.ru"}},
		{"yandex", []string{"yandex.ru", "yandex.com", "ya.ru"}},
		{"qq", []string{"qq.com", "foxmail.com"}},
		{"netease", []string{"163.com", "126.com", "yeah.net"}},
	}
}

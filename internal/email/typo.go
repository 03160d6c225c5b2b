package email

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"throughline.dev/throughline/internal/audience"
)

// likelyDomain is the large provider's domain that was probably meant; empty: the domain may well be meant as it is. Short names are near too
// many others: of those, only a wrong ending tells.
func likelyDomain(domain string) string {
	known := largeProviders()
	if slices.Contains(known, domain) || slices.Contains(lookalikes(), domain) {
		return ""
	}
	name, ending, _ := strings.Cut(domain, ".")
	best, bestDistance := "", 3
	for _, provider := range known {
		if longer := len(domain) - len(provider); longer > 3 || longer < -3 {
			continue
		}
		meant, meantEnding, _ := strings.Cut(provider, ".")
		limit := bestDistance
		switch {
		case name == meant && mistypedEnding(ending, meantEnding):
			return provider
		case name == meant || len(meant) < 5:
			continue
		case len(meant) < 7:
			limit = min(limit, 2)
		}
		if d := audience.Distance(domain, provider, limit); d < limit {
			best, bestDistance = provider, d
		}
	}
	return best
}

// mistypedEnding tells whether an ending is none, or one that stands for com far more often than for a country.
func mistypedEnding(ending, meant string) bool {
	if meant == "com" && slices.Contains([]string{"co", "cm", "om", "cam", "con"}, ending) {
		return true
	}
	_, known := publicsuffix.PublicSuffix(ending)
	return !known && audience.Distance(ending, meant, 3) < 3
}

// largeProviders are domains at which many people have their mailbox, the larger ones first.
func largeProviders() []string {
	return []string{
		"gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "live.com", "msn.com", "googlemail.com", "me.com",
		"gmx.de", "web.de", "gmx.net", "t-online.de", "freenet.de", "gmx.at", "gmx.ch", "bluewin.ch", "hotmail.co.uk", "hotmail.fr", "hotmail.de", "hotmail.it",
		"hotmail.es", "outlook.de", "outlook.fr", "outlook.es", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es", "yahoo.co.in", "yahoo.co.jp",
		"yahoo.com.br", "live.co.uk", "live.fr", "live.nl", "orange.fr", "wanadoo.fr", "laposte.net", "libero.it", "virgilio.it", "comcast.net", "verizon.net",
		"btinternet.com", "protonmail.com", "proton.me", "fastmail.com", "rediffmail.com", "yandex.ru", "naver.com", "uol.com.br",
	}
}

// lookalikes are domains that are near to a provider's, and are meant.
func lookalikes() []string {
	return []string{
		"ymail.com", "mail.com", "email.com", "gmx.com", "gmx.us", "cloud.com", "hotmail.co.jp", "yandex.com", "yahoo.ca", "yahoo.in", "yahoo.com.au", "aim.com", "mac.com",
		"rocketmail.com", "fastmail.fm", "protonmail.ch", "hushmail.com", "inbox.com", "web.com", "email.de", "mail.de", "wanadoo.nl", "orange.es",
	}
}

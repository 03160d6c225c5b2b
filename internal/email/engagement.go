package email

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Actor is who opened a mail or followed a link of it. Journeys, numbers and experiments count humans only.
type Actor string

// The actors. A proxy fetches pictures for a person, at a moment that says nothing about that person.
const (
	Human Actor = "human"
	Bot   Actor = "bot"
	Proxy Actor = "proxy"
)

// The closed list of reasons why something was not done by a person.
const (
	ActorHead         = "head"          // asked for the head only: that is no click
	ActorProbed       = "probed"        // somebody asked for the head at the same time
	ActorPrefetch     = "prefetch"      // a browser or an app that looks ahead
	ActorNoAgent      = "no_agent"      // does not say what it is
	ActorScanner      = "scanner_agent" // a mail scanner that says so
	ActorTool         = "tool_agent"    // a tool, a crawler or a browser without a window
	ActorTooSoon      = "too_soon"      // sooner after the mail was accepted than a person reads
	ActorManyLinks    = "many_links"    // several links within a moment
	ActorAllLinks     = "all_links"     // each link of the mail, one after the other
	ActorHoneypot     = "honeypot"      // the link that no person sees, or somebody followed it at the same time
	ActorApplePrivacy = "apple_privacy" // Apple's Mail Privacy Protection loads pictures whether a mail is read or not
	ActorGmailProxy   = "gmail_proxy"   // Gmail's picture proxy
	ActorYahooProxy   = "yahoo_proxy"   // Yahoo's picture proxy
)

// ActorReasons lists them.
func ActorReasons() []string {
	return []string{
		ActorHead, ActorProbed, ActorPrefetch, ActorNoAgent, ActorScanner, ActorTool, ActorTooSoon, ActorManyLinks, ActorAllLinks, ActorHoneypot,
		ActorApplePrivacy, ActorGmailProxy, ActorYahooProxy,
	}
}

// What the rules about time go by.
const (
	tooSoon      = 5 * time.Second  // after the mail server took the mail
	manyLinks    = 3                // different ones,
	manyWithin   = 2 * time.Second  // that close together
	allWithin    = 10 * time.Second // each link of a mail that has several
	trapWithin   = time.Minute      // of a hit on the honeypot
	headWithin   = 10 * time.Second // of a request for the head
	freshFor     = time.Minute      // after the mail server took it, scanners are about
	agentMaxSeen = 400              // bytes of a user agent that are looked at
)

// Request is what a request tells about who makes it. Its address is not among that.
type Request struct {
	Head      bool
	Prefetch  bool
	UserAgent string
}

// RequestOf reads it.
func RequestOf(r *http.Request) Request {
	purpose := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose") + r.Header.Get("X-Purpose") + r.Header.Get("X-Moz")
	agent := r.UserAgent()
	return Request{
		Head: r.Method == http.MethodHead, UserAgent: strings.ToLower(agent[:min(len(agent), agentMaxSeen)]),
		Prefetch: strings.Contains(strings.ToLower(purpose), "prefetch") || strings.Contains(strings.ToLower(purpose), "preview"),
	}
}

// JudgeClick says what the request for a link tells by itself. Settle has the last word.
func JudgeClick(r Request, link int) (Actor, string) {
	if link == HoneypotLink {
		return Bot, ActorHoneypot
	}
	return r.machine()
}

// JudgeOpen says who loaded the picture of an open. sentAt is nil while nobody knows that the mail was accepted.
func JudgeOpen(r Request, sentAt *time.Time, now time.Time) (Actor, string) {
	if actor, reason := r.machine(); actor != Human {
		return actor, reason
	}
	switch agent := strings.TrimSpace(r.UserAgent); {
	case strings.Contains(agent, "googleimageproxy"):
		return Proxy, ActorGmailProxy
	case strings.Contains(agent, "yahoomailproxy"):
		return Proxy, ActorYahooProxy
	case agent == "mozilla/5.0", strings.Contains(agent, "applewebkit") && !containsAny(agent, browserTokens()):
		return Proxy, ActorApplePrivacy
	}
	if sentAt != nil && now.Before(sentAt.Add(tooSoon)) {
		return Bot, ActorTooSoon
	}
	return Human, ""
}

func (r Request) machine() (Actor, string) {
	switch {
	case r.Head:
		return Bot, ActorHead
	case r.Prefetch:
		return Bot, ActorPrefetch
	case strings.TrimSpace(r.UserAgent) == "":
		return Bot, ActorNoAgent
	case containsAny(r.UserAgent, scannerTokens()):
		return Bot, ActorScanner
	case containsAny(r.UserAgent, toolTokens()):
		return Bot, ActorTool
	}
	return Human, ""
}

// ClickHolds are for how long a click that looks like a person's is held before it counts: others of the same mail may tell who makes them.
type ClickHolds struct {
	Usual      time.Duration
	Suspicious time.Duration
}

// UsualHolds are those that fit the rules: as long as the rules look around.
func UsualHolds() ClickHolds { return ClickHolds{Usual: allWithin, Suspicious: trapWithin} }

// Due is when a click may be settled. What a machine did need not wait.
func (h ClickHolds) Due(r Request, actor Actor, sentAt *time.Time, now time.Time) time.Time {
	switch {
	case actor != Human:
		return now
	case r.Suspicious(sentAt, now):
		return now.Add(h.Suspicious)
	}
	return now.Add(h.Usual)
}

// Suspicious tells whether a click that looks like a person's is held for longer: the mail has only just arrived, or the client is no browser
// that is known.
func (r Request) Suspicious(sentAt *time.Time, now time.Time) bool {
	return sentAt == nil || now.Before(sentAt.Add(freshFor)) || !containsAny(r.UserAgent, browserTokens())
}

func scannerTokens() []string {
	return []string{
		"barracuda", "proofpoint", "mimecast", "messagelabs", "symantec", "trendmicro", "trend micro", "forcepoint", "fireeye", "trellix", "sophos",
		"cisco-", "ironport", "cloudmark", "zscaler", "fortimail", "fortiguard", "checkpoint", "check point", "safelinks", "bingpreview", "virustotal",
		"urlscan", "appriver", "vade", "avanan", "spamassassin", "mailscanner", "kaspersky", "bitdefender", "f-secure", "mcafee", "eset", "phish", "scanner",
	}
}

func toolTokens() []string {
	return []string{
		"curl/", "wget", "python", "go-http-client", "okhttp", "java/", "apache-httpclient", "libwww", "perl", "ruby", "php/", "axios", "node-fetch", "undici",
		"httpie", "postman", "powershell", "headless", "phantomjs", "selenium", "puppeteer", "playwright", "electron", "bot", "crawl", "spider", "slurp",
		"facebookexternalhit", "whatsapp", "telegram", "slack", "skypeuripreview", "preview", "monitor", "scrapy", "guzzle",
	}
}

func browserTokens() []string {
	return []string{"chrome/", "firefox/", "safari/", "edg/", "opr/", "crios/", "fxios/", "edgios/", "samsungbrowser/", "trident/", "outlook", "thunderbird/"}
}

func containsAny(s string, tokens []string) bool {
	for _, token := range tokens {
		if strings.Contains(s, token) {
			return true
		}
	}
	return false
}

// EventClicked is the event that a person's click becomes.
const EventClicked = "Mail Clicked"

// Click is one request for a link of a message.
type Click struct {
	Link   int
	At     time.Time
	Actor  Actor
	Reason string
}

// Settle judges the clicks of one message by each other and by when the mail was accepted, in place: what looked like a person alone may not
// among the others. links is how many different links the mail has. sentAt is nil where nobody knows.
func Settle(clicks []Click, links int, sentAt *time.Time) {
	judged := make([]Click, len(clicks))
	for i, c := range clicks {
		judged[i] = c
		if c.Actor == Human {
			if reason := machineAmong(c, clicks, links, sentAt); reason != "" {
				judged[i].Actor, judged[i].Reason = Bot, reason
			}
		}
	}
	copy(clicks, judged)
}

func machineAmong(c Click, clicks []Click, links int, sentAt *time.Time) string {
	near := func(within time.Duration, is func(Click) bool) bool {
		for _, other := range clicks {
			if apart := other.At.Sub(c.At); apart <= within && apart >= -within && is(other) {
				return true
			}
		}
		return false
	}
	switch {
	case near(trapWithin, func(o Click) bool { return o.Link == HoneypotLink }):
		return ActorHoneypot
	case near(headWithin, func(o Click) bool { return o.Reason == ActorHead }):
		return ActorProbed
	case sentAt != nil && c.At.Before(sentAt.Add(tooSoon)):
		return ActorTooSoon
	case mostAround(c, clicks, manyWithin) >= manyLinks:
		return ActorManyLinks
	case links > 1 && mostAround(c, clicks, allWithin) >= links:
		return ActorAllLinks
	}
	return ""
}

// mostAround is how many different links were followed within a span of time that the click is in.
func mostAround(c Click, clicks []Click, within time.Duration) int {
	most := 0
	for _, first := range clicks {
		if first.At.After(c.At) || c.At.Sub(first.At) > within {
			continue // no span that begins there holds the click
		}
		different := map[int]bool{}
		for _, o := range clicks {
			if apart := o.At.Sub(first.At); apart >= 0 && apart <= within {
				different[o.Link] = true
			}
		}
		most = max(most, len(different))
	}
	return most
}

// PlainLink is a link as an event may tell it: what stands behind the path may be about one person.
func PlainLink(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	plain := url.URL{Scheme: u.Scheme, Host: u.Host}
	if !strings.Contains(u.Path, "@") {
		plain.Path, plain.RawPath = u.Path, u.RawPath
	}
	return plain.String()
}

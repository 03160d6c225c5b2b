package email

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	chrome  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	appMail = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
)

func request(method, agent string, headers ...string) Request {
	r := httptest.NewRequest(method, "/c/x", http.NoBody)
	r.Header.Set("User-Agent", agent)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return RequestOf(r)
}

func TestJudgeClickByItsRequest(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		request Request
		link    int
		reason  string
	}{
		"a person":              {request: request("GET", chrome)},
		"a person on a phone":   {request: request("GET", iphone)},
		"head":                  {request: request("HEAD", chrome), reason: ActorHead},
		"barracuda":             {request: request("GET", chrome+" BarracudaSentinel/1.0"), reason: ActorScanner},
		"proofpoint":            {request: request("GET", "Proofpoint URL Defense"), reason: ActorScanner},
		"mimecast":              {request: request("GET", "Mozilla/5.0 (compatible; Mimecast)"), reason: ActorScanner},
		"curl":                  {request: request("GET", "curl/8.9"), reason: ActorTool},
		"python":                {request: request("GET", "python-requests/2.32"), reason: ActorTool},
		"headless":              {request: request("GET", "Mozilla/5.0 AppleWebKit/537.36 HeadlessChrome/140 Safari/537.36"), reason: ActorTool},
		"says nothing":          {request: request("GET", ""), reason: ActorNoAgent},
		"a browser looks ahead": {request: request("GET", chrome, "Sec-Purpose", "prefetch;prerender"), reason: ActorPrefetch},
		"the hidden link":       {request: request("GET", chrome), link: HoneypotLink, reason: ActorHoneypot},
	} {
		actor, reason := JudgeClick(tc.request, tc.link)
		require.Equal(t, tc.reason, reason, name)
		require.Equal(t, tc.reason == "", actor == Human, name)
		require.True(t, reason == "" || slices.Contains(ActorReasons(), reason), name)
	}
}

func TestJudgeOpen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	sent, just := now.Add(-time.Hour), now.Add(-time.Second)
	for name, tc := range map[string]struct {
		agent  string
		sent   *time.Time
		actor  Actor
		reason string
	}{
		"a person":                      {agent: chrome, sent: &sent, actor: Human},
		"before it is known to be sent": {agent: chrome, actor: Human},
		"a second later":                {agent: chrome, sent: &just, actor: Bot, reason: ActorTooSoon},
		"apple":                         {agent: "Mozilla/5.0", sent: &sent, actor: Proxy, reason: ActorApplePrivacy},
		"apple mail":                    {agent: appMail, sent: &sent, actor: Proxy, reason: ActorApplePrivacy},
		"gmail":                         {agent: "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", sent: &sent, actor: Proxy, reason: ActorGmailProxy},
		"yahoo":                         {agent: "YahooMailProxy; https://help.yahoo.com/", sent: &sent, actor: Proxy, reason: ActorYahooProxy},
		"a scanner":                     {agent: "Barracuda", sent: &sent, actor: Bot, reason: ActorScanner},
	} {
		actor, reason := JudgeOpen(request("GET", tc.agent), tc.sent, now)
		require.Equal(t, tc.actor, actor, name)
		require.Equal(t, tc.reason, reason, name)
	}
}

func TestSuspiciousClicks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	sent, just := now.Add(-time.Hour), now.Add(-30*time.Second)
	require.False(t, request("GET", chrome).Suspicious(&sent, now))
	require.True(t, request("GET", chrome).Suspicious(&just, now), "the mail has only just arrived")
	require.True(t, request("GET", chrome).Suspicious(nil, now), "nobody knows that it was sent")
	require.True(t, request("GET", "Mozilla/5.0").Suspicious(&sent, now), "no browser")
}

// Each habit of scanners alone leaves no human click; a person's clicks stay.
func TestSettle(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	human := func(link int, after time.Duration) Click { return Click{Link: link, At: sent.Add(after), Actor: Human} }
	for name, tc := range map[string]struct {
		clicks  []Click
		links   int
		reasons []string
	}{
		"a person":                    {clicks: []Click{human(0, time.Minute)}, links: 3, reasons: []string{""}},
		"a person who reads on":       {clicks: []Click{human(0, time.Minute), human(1, 90*time.Second), human(2, 3*time.Minute)}, links: 3, reasons: []string{"", "", ""}},
		"the same link again":         {clicks: []Click{human(0, time.Minute), human(0, 61*time.Second), human(0, 62*time.Second)}, links: 1, reasons: []string{"", "", ""}},
		"too soon":                    {clicks: []Click{human(0, 1900*time.Millisecond)}, links: 3, reasons: []string{ActorTooSoon}},
		"before the ledger says sent": {clicks: []Click{human(0, -time.Second)}, links: 3, reasons: []string{ActorTooSoon}},
		"three within two seconds": {clicks: []Click{human(0, time.Hour), human(1, time.Hour+time.Second), human(2, time.Hour+2*time.Second), human(3, time.Hour+30*time.Second)},
			links: 9, reasons: []string{ActorManyLinks, ActorManyLinks, ActorManyLinks, ""}},
		"all of two": {clicks: []Click{human(0, time.Hour), human(1, time.Hour+8*time.Second)}, links: 2, reasons: []string{ActorAllLinks, ActorAllLinks}},
		"the trap, later": {clicks: []Click{human(0, time.Hour), {Link: HoneypotLink, At: sent.Add(time.Hour + 30*time.Second), Actor: Bot, Reason: ActorHoneypot}},
			links: 5, reasons: []string{ActorHoneypot, ActorHoneypot}},
		"head, then get":           {clicks: []Click{{Link: 0, At: sent.Add(time.Hour), Actor: Bot, Reason: ActorHead}, human(0, time.Hour+time.Second)}, links: 5, reasons: []string{ActorHead, ActorProbed}},
		"a person after a scanner": {clicks: []Click{{Link: 0, At: sent.Add(time.Second), Actor: Bot, Reason: ActorHead}, human(0, time.Hour)}, links: 5, reasons: []string{ActorHead, ""}},
	} {
		Settle(tc.clicks, tc.links, &sent)
		for i, c := range tc.clicks {
			require.Equal(t, tc.reasons[i], c.Reason, "%s, click %d", name, i)
			require.Equal(t, tc.reasons[i] == "", c.Actor == Human, "%s, click %d", name, i)
		}
	}
	unknown := []Click{human(0, time.Second)}
	Settle(unknown, 1, nil)
	require.Equal(t, Human, unknown[0].Actor, "nobody knows when it was sent")
}

func TestPlainLink(t *testing.T) {
	t.Parallel()
	require.Equal(t, "https://shop.example/a/b", PlainLink("https://shop.example/a/b?email=ana%40example.test#x"))
	require.Equal(t, "https://shop.example", PlainLink("https://shop.example/u/ana@example.test"))
}

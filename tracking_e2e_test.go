package main

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

const clickJourney = `
journey: clicks
enter: [{event: Signed Up}]
steps:
  - id: offer
    send: {template: offer}
  - id: read
    wait_for:
      - {event: Mail Clicked, when: 'event.step_id == "offer" && event.link == "https://shop.example/plans"', go: keen}
      - {after: 30d, go: done}
  - id: keen
    exit: keen
  - id: done
    exit: finished
`

const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// offer saves a template with three links.
func (p *product) offer(t *testing.T, more string) {
	t.Helper()
	admin[map[string]any](t, p, "PUT", "/v1/templates/offer", `{"key":"offer","subject":"An offer"`+more+`,"body":{"markdown":`+
		`"See the [plans](https://shop.example/plans?for={{ contact.email }}), the [help](https://shop.example/help) or [write](mailto:us@shop.example)."}}`)
}

// quickHolds lets tests settle clicks soon.
func quickHolds(c *config) {
	c.ClickHolds = email.ClickHolds{Usual: time.Second, Suspicious: 1500 * time.Millisecond}
}

// bodies reads the text and the HTML of the only mail that the catcher holds for an address.
func bodies(t *testing.T, address string) (text, html string) {
	t.Helper()
	mails := caught(t, address)
	require.Len(t, mails, 1)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, os.Getenv("INBOX_URL")+"/api/messages/"+mails[0].ID+"/raw", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test
	message, err := mail.ReadMessage(resp.Body)
	require.NoError(t, err)
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	require.NoError(t, err)
	parts := multipart.NewReader(message.Body, params["boundary"])
	var out []string
	for range 2 {
		part, err := parts.NextRawPart()
		require.NoError(t, err)
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		out = append(out, string(body))
	}
	return out[0], out[1]
}

// browse asks for an address as a browser or a tool would, and follows nothing.
func (p *product) browse(t *testing.T, method, address, agent string) (int, http.Header, []byte) {
	t.Helper()
	at := strings.Replace(address, p.config.PublicURL, p.base, 1)
	req, err := http.NewRequestWithContext(t.Context(), method, at, nil)
	require.NoError(t, err)
	req.Header.Set("User-Agent", agent)
	resp, err := (&http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, body
}

var (
	trackedLink = regexp.MustCompile(`<a href="([^"]*/c/[^"]*)"[^>]*>(plans|help)</a>`)
	hiddenLink  = regexp.MustCompile(`<a href="([^"]*/c/[^"]*)" aria-hidden="true"`)
	openPicture = regexp.MustCompile(`<img src="([^"]*/o/[^"]*)"`)
)

// offered sends the offer to somebody, and waits until the journey does for a click.
func (p *product) offered(t *testing.T) (who person, id string, links map[string]string, html string) {
	t.Helper()
	who = newPerson()
	id = p.identify(t, who, nil)
	p.track(t, who, "Signed Up", nil)
	eventually(t, "the journey waits for a click", func() bool {
		m := p.messageAt(t, id, "offer")
		return m != nil && m.State == email.Sent && len(interests(t, p, id)) > 0
	})
	_, html = bodies(t, who.email)
	links = map[string]string{}
	for _, m := range trackedLink.FindAllStringSubmatch(html, -1) {
		links[m[2]] = m[1]
	}
	if m := hiddenLink.FindStringSubmatch(html); m != nil {
		links["hidden"] = m[1]
	}
	return who, id, links, html
}

// readingTime lets so much time pass since the mail was accepted that its reader may be a person.
func (p *product) readingTime(t *testing.T, id string) {
	t.Helper()
	sent := p.messageAt(t, id, "offer").SentAt
	eventually(t, "a person could have read the mail", func() bool { return time.Since(*sent) > 5*time.Second })
}

func (p *product) clicks(t *testing.T, id string) (events []map[string]any) {
	t.Helper()
	for _, e := range p.timeline(t, id) {
		if e.Event != nil && e.Event.Name == email.EventClicked {
			events = append(events, e.Event.Properties)
		}
	}
	return events
}

// A person follows the link of a real mail, twice: one event, the journey moves, and the numbers say so.
func TestAClickMovesTheJourney(t *testing.T) {
	t.Parallel()
	p := start(t, quickHolds)
	p.offer(t, "")
	p.publish(t, clickJourney)
	who, id, links, html := p.offered(t)
	text, _ := bodies(t, who.email)
	require.NotContains(t, html+text, "shop.example/plans")
	require.NotContains(t, html+text, "shop.example/help")
	require.Contains(t, html, "mailto:us@shop.example")
	require.Contains(t, html, p.config.PublicURL+"/u/", "the unsubscribe link leads where it says")
	require.Contains(t, text, links["plans"])
	require.NotContains(t, links["plans"], who.email)

	p.readingTime(t, id)
	for range 2 {
		status, header, body := p.browse(t, "GET", links["plans"], browser)
		require.Equal(t, http.StatusFound, status)
		require.Equal(t, "https://shop.example/plans?for="+strings.Replace(who.email, "@", "%40", 1), header.Get("Location"))
		require.Equal(t, "no-store", header.Get("Cache-Control"))
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		require.Empty(t, body)
	}
	require.Equal(t, "keen", p.ended(t, id).Reason)
	m := p.messageAt(t, id, "offer")
	require.NotNil(t, m.ClickedAt)
	require.Zero(t, m.MachineClicks)
	require.Equal(t, []map[string]any{{
		"journey": "clicks", "step_id": "offer", "template": "offer", "message_id": m.ID, "link": "https://shop.example/plans", "link_number": 1.0, // the first is the brand's
	}}, p.clicks(t, id), "clicked twice, one event, and no address in it")
	numbers := admin[journey.Numbers](t, p, "GET", "/v1/journeys/clicks/numbers", "")
	require.EqualValues(t, 1, numbers.Steps[0].Sent)
	require.EqualValues(t, 1, numbers.Steps[0].Clicked)
	behind := admin[list[journey.CountedContact]](t, p, "GET", "/v1/journeys/clicks/contacts?step=offer&message=clicked", "")
	require.Len(t, behind.Data, 1)
	require.Equal(t, id, behind.Data[0].ContactID)

	status, _, body := p.browse(t, "GET", links["plans"]+"A", browser)
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, string(body), "This link does not work")
	status, header, _ := p.browse(t, "GET", p.config.PublicURL+"/c/https:%2F%2Fevil.example", browser)
	require.Equal(t, http.StatusNotFound, status)
	require.Empty(t, header.Get("Location"))
	noPersonalData(t, who)
}

// A scanner asks for heads, for all links within a moment, for the one that nobody sees; opens come from a proxy. Nobody has clicked.
func TestAScannerClicksNothing(t *testing.T) {
	t.Parallel()
	p := start(t, quickHolds)
	p.offer(t, "")
	p.publish(t, clickJourney)
	_, id, links, html := p.offered(t)
	require.Len(t, links, 3)
	status, header, _ := p.browse(t, "HEAD", links["plans"], browser)
	require.Equal(t, http.StatusFound, status)
	require.NotEmpty(t, header.Get("Location"))
	for _, name := range []string{"plans", "help", "hidden"} {
		status, _, _ := p.browse(t, "GET", links[name], browser)
		require.Equal(t, http.StatusFound, status)
	}
	p.readingTime(t, id)
	picture := openPicture.FindStringSubmatch(html)[1]
	for _, agent := range []string{"Mozilla/5.0", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"} {
		status, header, body := p.browse(t, "GET", picture, agent)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "image/gif", header.Get("Content-Type"))
		require.Len(t, body, 43)
	}
	eventually(t, "the clicks are settled", func() bool { return p.messageAt(t, id, "offer").MachineClicks == 3 })
	m := p.messageAt(t, id, "offer")
	require.Nil(t, m.ClickedAt)
	require.Nil(t, m.OpenedAt)
	require.Equal(t, 2, m.MachineOpens)
	require.Empty(t, p.clicks(t, id))

	status, _, _ = p.browse(t, "GET", picture, browser)
	require.Equal(t, http.StatusOK, status)
	require.NotNil(t, p.messageAt(t, id, "offer").OpenedAt, "a person opens it")
	require.NotEmpty(t, interests(t, p, id), "an open moves no journey")
}

// Who wants no tracking, and mail of a template that says so, gets the links as they are.
func TestTrackingIsSwitchedOff(t *testing.T) {
	t.Parallel()
	p := start(t, quickHolds)
	p.offer(t, `,"tracking":false`)
	p.publish(t, clickJourney)
	_, _, links, html := p.offered(t)
	require.Empty(t, links)
	require.Contains(t, html, `href="https://shop.example/help"`)
	require.NotContains(t, html, "/o/")
}

package main

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
)

const aboutTopics = `
journey: topical
enter: {event: Start}
reenter: always
steps:
  - id: news
    send: {template: hello, topic: news}
  - id: beta
    send: {template: hello, topic: beta}
  - id: any
    send: {template: hello}
  - id: done
    exit: finished
`

// went lets a contact go through the journey, and says what became of its three mails.
func went(t *testing.T, p *product, who person, id string, mails int) [3]string {
	t.Helper()
	p.track(t, who, "Start", nil)
	eventually(t, "the mails are decided", func() bool { return len(p.messages(t, id)) == mails })
	out := [3]string{}
	for i, step := range []string{"news", "beta", "any"} {
		m := p.messageAt(t, id, step) // the newest
		eventually(t, step+" is settled", func() bool { m = p.messageAt(t, id, step); return m.State.Final() })
		out[i] = string(m.State) + m.Reason
	}
	return out
}

// Recipients stay in charge: they choose topics on a page behind every mail, and get nothing that has to be confirmed before they did.
func TestRecipientsChoose(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "hello", "Hello")
	for key, body := range map[string]string{"news": `{"name":"News & more"}`, "beta": `{"name":"Beta","opt_in":true}`} {
		status, answer := p.do(t, http.MethodPut, "/v1/topics/"+key, p.config.AdminKey, body)
		require.Equal(t, http.StatusOK, status, string(answer))
	}
	p.publish(t, aboutTopics)
	who := newPerson()
	id := p.identify(t, who, map[string]any{"locale": "de-DE"})
	require.Equal(t, [3]string{"sent", "skippedno_consent", "sent"}, went(t, p, who, id, 3))

	// Somebody ticks a box: it counts when the owner of the address has confirmed it.
	consent := admin[audience.Consent](t, p, http.MethodPut, "/v1/contacts/"+id+"/consents/beta", `{"granted":true,"source":"checkout form"}`)
	require.True(t, consent.Pending)
	require.False(t, consent.Granted)
	admin[audience.Consent](t, p, http.MethodPut, "/v1/contacts/"+id+"/consents/beta", `{"granted":true,"source":"checkout form"}`)
	eventually(t, "the mail that asks arrives", func() bool { return len(caught(t, who.email)) == 3 })
	require.Equal(t, [3]string{"sent", "skippedno_consent", "sent"}, went(t, p, who, id, 7))
	asking := []email.Message{}
	for _, m := range p.messages(t, id) {
		if m.Template == email.TemplateConfirmation {
			asking = append(asking, m)
		}
	}
	require.Len(t, asking, 1, "asked once, however often somebody ticks the box")
	asked := admin[email.Message](t, p, http.MethodGet, "/v1/messages/"+asking[0].ID, "")
	require.Equal(t, "Bitte bestätigen: Beta", asked.Subject)
	link := regexp.MustCompile(`http[^\s"<>]*/s/[\w.=-]+`).FindString(asked.Text)
	require.NotEmpty(t, link)
	path := link[len(p.config.PublicURL):]
	status, page := p.do(t, http.MethodGet, path, "", "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(page), "Möchten Sie diese E-Mails?")
	require.Equal(t, [3]string{"sent", "skippedno_consent", "sent"}, went(t, p, who, id, 10), "a GET confirms nothing: scanners follow every link")
	status, _ = p.do(t, http.MethodPost, path, "", "confirm=1")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, [3]string{"sent", "sent", "sent"}, went(t, p, who, id, 13))

	// The page behind every mail.
	unsubscribe := unsubscribeLink(t, caught(t, who.email)[0].ID, p.config.InboxURL)[len(p.config.PublicURL):]
	_, page = p.do(t, http.MethodGet, unsubscribe, "", "")
	require.Contains(t, string(page), `value="news" checked> <strong>News &amp; more</strong>`)
	require.Contains(t, string(page), `value="beta" checked`)
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	status, _ = p.doWith(t, http.MethodPost, unsubscribe, "", "save=1&topic=beta", form...)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, [3]string{"skippedunsubscribed", "sent", "sent"}, went(t, p, who, id, 16))
	status, _ = p.doWith(t, http.MethodPost, unsubscribe, "", "List-Unsubscribe=One-Click", form...)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, [3]string{"skippedunsubscribed", "skippedunsubscribed", "skippedunsubscribed"}, went(t, p, who, id, 19), "one click ends all of it")
	status, _ = p.doWith(t, http.MethodPost, unsubscribe, "", "save=1&topic=news", form...)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, [3]string{"sent", "skippedunsubscribed", "sent"}, went(t, p, who, id, 22), "who chooses again gets what it has chosen")
	consents := admin[audience.Consents](t, p, http.MethodGet, "/v1/contacts/"+id+"/consents", "")
	for _, one := range consents.Consents {
		require.Equal(t, sourcePage, one.Source, one.Topic)
	}
	require.Len(t, consents.Consents, 3)
}

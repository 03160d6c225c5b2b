package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

func (p *product) saveTemplate(t *testing.T, key, document string) {
	t.Helper()
	status, answer := p.do(t, http.MethodPut, "/v1/templates/"+key, p.config.AdminKey, document)
	require.Equal(t, http.StatusOK, status, string(answer))
}

// Each contact gets the mail in its own language, and the message says which. The subject of a step is written in the template's own
// language: it replaces no translation.
func TestMailsAreInTheContactsLanguage(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.saveTemplate(t, "hello", `
subject: Hello
locale: en
body: {intros: ["In English."]}
locales:
  de: {subject: Hallo, body: {intros: ["Auf Deutsch."]}}
`)
	p.publish(t, `
journey: languages
enter: [{event: Start}]
steps:
  - id: first
    send: {template: hello, subject: "Hello, step"}
  - id: done
    exit: finished
`)
	for locale, want := range map[string]email.Message{
		"de-AT": {Locale: "de", Subject: "Hallo", Text: "Auf Deutsch."},
		"en-GB": {Locale: "en", Subject: "Hello, step", Text: "In English."},
		"":      {Locale: "en", Subject: "Hello, step", Text: "In English."},
	} {
		who := newPerson()
		id := p.identify(t, who, map[string]any{"locale": locale})
		p.track(t, who, "Start", nil)
		eventually(t, "the mail arrives", func() bool { return len(caught(t, who.email)) == 1 })
		m := p.messageAt(t, id, "first")
		require.Equal(t, want.Locale, m.Locale, locale)
		require.Equal(t, want.Subject, m.Subject, locale)
		raw := rawMail(t, p.config.InboxURL, caught(t, who.email)[0].ID)
		require.Contains(t, raw, want.Text, locale)
		require.Contains(t, strings.ReplaceAll(raw, "=3D", "="), fmt.Sprintf(`lang="%s"`, want.Locale), locale)
	}
}

// A snippet that is saved is in the next mail of the templates that show it; HTML of one's own is sent with its links tracked and the way out in it.
func TestSnippetsAndHTMLOfOnesOwn(t *testing.T) {
	t.Parallel()
	p := start(t)
	snippet := func(text string) {
		status, answer := p.do(t, http.MethodPut, "/v1/snippets/promise", p.config.AdminKey, fmt.Sprintf(`{"text":%q}`, text))
		require.Equal(t, http.StatusOK, status, string(answer))
	}
	snippet("Delivered in 3 days")
	p.saveTemplate(t, "hello", `{"subject":"Hello","html":"<html><body><p>{% render 'promise' %}, {{ contact.plan | default: '' }}</p><a href=\"https://example.com/x\">go</a></body></html>"}`)
	p.publish(t, `
journey: raw
enter: [{event: Start}]
steps:
  - id: first
    send: {template: hello}
  - id: done
    exit: finished
`)
	mail := func() email.Message {
		who := newPerson()
		id := p.identify(t, who, map[string]any{"plan": "<b>pro</b>"})
		p.track(t, who, "Start", nil)
		eventually(t, "the mail arrives", func() bool { return len(caught(t, who.email)) == 1 })
		return admin[email.Message](t, p, http.MethodGet, "/v1/messages/"+p.messageAt(t, id, "first").ID, "")
	}
	m := mail()
	require.Contains(t, m.HTML, "Delivered in 3 days, &lt;b&gt;pro&lt;/b&gt;")
	require.Contains(t, m.HTML, p.config.PublicURL+"/c/")
	require.NotContains(t, m.HTML, `"https://example.com/x"`)
	require.Contains(t, m.HTML, ">Unsubscribe</a>")
	require.Contains(t, m.Text, "Delivered in 3 days, <b>pro</b>")
	snippet("Delivered in 2 days")
	require.Contains(t, mail().HTML, "Delivered in 2 days")
	status, answer := p.do(t, http.MethodDelete, "/v1/snippets/promise", p.config.AdminKey, "")
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, string(answer), "the template hello")
}

package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

// The SMTP server is cut off before, during and after the final dot; each fate is told apart, and no marketing mail goes
// out twice.
func TestServerCutDuringSend(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "hello", "Hello")
	for _, class := range []string{"marketing", "transactional"} {
		p.publish(t, fmt.Sprintf(`
journey: cut-%[1]s
enter: [{event: Start %[1]s}]
steps:
  - id: first
    send: {template: hello, class: %[1]s}
  - id: done
    exit: finished
`, class))
	}
	for _, tc := range []struct {
		name, class string
		fault       map[string]any
		state       email.State
		kept        int // copies that the server has
		attempts    int
		orUnknown   bool // or it is unknown after one attempt, and the server has nothing
	}{
		{name: "before the data", class: "marketing", fault: map[string]any{"at": "data", "action": "close"}, state: email.Sent, kept: 1, attempts: 2},
		// The whole mail fits into the socket's buffer: the client may or may not have written the dot when it notices the cut.
		{name: "during the data", class: "marketing", fault: map[string]any{"at": "mid_data", "action": "close", "bytes": 200}, state: email.Sent, kept: 1, attempts: 2, orUnknown: true},
		{name: "after the dot, kept", class: "marketing", fault: map[string]any{"at": "after_dot", "action": "close", "keep": true}, state: email.Unknown, kept: 1, attempts: 1},
		{name: "after the dot, not kept", class: "marketing", fault: map[string]any{"at": "after_dot", "action": "close", "keep": false}, state: email.Unknown, kept: 0, attempts: 1},
		{name: "after the reply", class: "marketing", fault: map[string]any{"at": "after_reply", "action": "close"}, state: email.Sent, kept: 1, attempts: 1},
		{name: "greylisted", class: "marketing", fault: map[string]any{"at": "rcpt", "action": "reply", "code": 451, "enhanced": "4.7.1", "text": "come back"}, state: email.Sent, kept: 1, attempts: 2},
		{name: "no such mailbox", class: "marketing", fault: map[string]any{"at": "rcpt", "action": "reply", "code": 550, "enhanced": "5.1.1", "text": "no such user"}, state: email.Rejected, kept: 0, attempts: 1},
		{name: "transactional, after the dot", class: "transactional", fault: map[string]any{"at": "after_dot", "action": "close", "keep": true}, state: email.Sent, kept: 2, attempts: 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			who := newPerson()
			id := p.identify(t, who, nil)
			tc.fault["rcpt"], tc.fault["times"] = who.email, 1
			misbehave(t, p.config.InboxURL, tc.fault)
			p.track(t, who, "Start "+tc.class, nil)
			require.Equal(t, "finished", p.ended(t, id).Reason, "the journey goes on whatever becomes of a mail")
			m := p.messageAt(t, id, "first")
			mails := caught(t, who.email)
			if tc.orUnknown && m.State == email.Unknown {
				require.Empty(t, mails)
				return
			}
			require.Equal(t, tc.state, m.State)
			require.Equal(t, tc.attempts, m.Attempt)
			require.Len(t, mails, tc.kept)
			for _, mail := range mails {
				require.Equal(t, mails[0].MessageID, mail.MessageID, "the same message every time")
			}
		})
	}
}

// After an unsubscribe was answered, no marketing mail starts; a transactional one does.
func TestNoMailAfterUnsubscribe(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "hello", "Hello")
	p.publish(t, `
journey: leaving
enter: [{event: Start}]
steps:
  - id: first
    send: {template: hello}
  - id: listen
    wait_for:
      - {event: Go on, go: second}
      - {forever: true}
  - id: second
    send: {template: hello}
  - id: receipt
    send: {template: hello, class: transactional}
  - id: done
    exit: finished
`)
	who := newPerson()
	id := p.identify(t, who, nil)
	p.track(t, who, "Start", nil)
	eventually(t, "the first mail arrives", func() bool { return len(caught(t, who.email)) == 1 })
	link := unsubscribeLink(t, caught(t, who.email)[0].ID, p.config.InboxURL)
	require.Contains(t, link, p.config.PublicURL+"/u/")
	path := link[len(p.config.PublicURL):]

	status, _ := p.do(t, "GET", path, "", "")
	require.Equal(t, 200, status)
	require.True(t, consent(t, p, id), "a GET never unsubscribes: link scanners follow every link")
	status, body := p.do(t, "POST", path, "", "List-Unsubscribe=One-Click")
	require.Equal(t, 200, status, string(body))
	require.False(t, consent(t, p, id))

	p.track(t, who, "Go on", nil)
	require.Equal(t, "finished", p.ended(t, id).Reason)
	second := p.messageAt(t, id, "second")
	require.Equal(t, email.Skipped, second.State)
	require.Equal(t, email.ReasonUnsubscribed, second.Reason)
	require.Equal(t, email.Sent, p.messageAt(t, id, "receipt").State)
	require.Len(t, caught(t, who.email), 2)
}

func consent(t *testing.T, p *product, contactID string) bool {
	t.Helper()
	granted := true
	query(t, p.config.DatabaseURL, "SELECT granted FROM consents WHERE contact_id = $1 AND topic = 'marketing'", []any{contactID}, &granted)
	return granted
}

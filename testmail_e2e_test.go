package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/store"
)

func (p *product) sendTest(t *testing.T, to, more string) (int, api.TestMail, string) {
	t.Helper()
	body := fmt.Sprintf(`{"template":{"subject":"For {{ contact.first_name | default: 'you' }}","body":{"intros":["One."]}},"to":%q%s}`, to, more)
	status, answer := p.do(t, http.MethodPost, "/v1/templates/test", p.config.AdminKey, body)
	var out api.TestMail
	if status == http.StatusOK {
		require.NoError(t, json.Unmarshal(answer, &out))
	}
	return status, out, string(answer)
}

// Each of the five fates of a test is told, with the server's words.
func TestTestMailMeetsTheServer(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, tc := range []struct {
		name    string
		fault   map[string]any
		outcome string
		says    string
		kept    int
	}{
		{name: "accepted", outcome: "accepted", says: "has taken the mail", kept: 1},
		{name: "rejected", fault: map[string]any{"at": "rcpt", "action": "reply", "code": 550, "enhanced": "5.1.1", "text": "no such user"}, outcome: "rejected", says: "no such user"},
		{name: "deferred", fault: map[string]any{"at": "rcpt", "action": "reply", "code": 421, "enhanced": "4.7.0", "text": "too busy"}, outcome: "deferred", says: "too busy"},
		{name: "not sent", fault: map[string]any{"at": "data", "action": "close"}, outcome: "not_sent", says: "broke off"},
		{name: "unknown", fault: map[string]any{"at": "after_dot", "action": "close", "keep": true}, outcome: "unknown", says: "Nobody knows", kept: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			who := newPerson()
			if tc.fault != nil {
				tc.fault["rcpt"], tc.fault["times"] = who.email, 1
				misbehave(t, p.config.InboxURL, tc.fault)
			}
			status, got, answer := p.sendTest(t, who.email, "")
			require.Equal(t, http.StatusOK, status, answer)
			require.Equal(t, tc.outcome, got.Outcome, answer)
			require.Contains(t, got.Words, tc.says)
			require.Len(t, caught(t, who.email), tc.kept, "a test is tried once")
		})
	}
	t.Run("nobody is there", func(t *testing.T) {
		t.Parallel()
		alone := start(t, func(c *config) { c.SMTPURL = "smtp://127.0.0.1:1" })
		status, got, answer := alone.sendTest(t, newPerson().email, "")
		require.Equal(t, http.StatusOK, status, answer)
		require.Equal(t, "not_sent", got.Outcome)
		require.NotContains(t, answer, "127.0.0.1", "where the mail server is concerns nobody")
	})
}

// A test looks like the real mail, belongs to no contact, and its link takes nobody off anything.
func TestTestMailLeavesNoTrace(t *testing.T) {
	t.Parallel()
	p := start(t)
	who, tester := newPerson(), newPerson()
	id := p.identify(t, who, map[string]any{"first_name": "Ana"})
	before := len(p.timeline(t, id))
	status, _, answer := p.sendTest(t, tester.email, `,"contact_id":"`+id+`"`)
	require.Equal(t, http.StatusOK, status, answer)
	mails := caught(t, tester.email)
	require.Len(t, mails, 1)
	require.Equal(t, "[Test] For Ana", mails[0].Subject)
	require.Empty(t, caught(t, who.email))

	link := unsubscribeLink(t, mails[0].ID, p.config.InboxURL) // which holds the one-click headers against those of the real one
	path := strings.TrimPrefix(link, p.config.PublicURL)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		status, page := p.do(t, method, path, "", "List-Unsubscribe=One-Click")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, string(page), "This was a test")
	}
	require.True(t, consent(t, p, id), "nobody is unsubscribed by a test")
	require.Empty(t, p.messages(t, id))
	require.Len(t, p.timeline(t, id), before)
}

func TestTestMailToASuppressedAddress(t *testing.T) {
	t.Parallel()
	p := start(t)
	db, err := store.Open(t.Context(), p.config.DatabaseURL)
	require.NoError(t, err)
	defer db.Close()
	who := newPerson()
	require.NoError(t, db.Suppress(t.Context(), who.email, "hard_bounce", time.Now()))
	status, _, answer := p.sendTest(t, strings.ToUpper(who.email), "")
	require.Equal(t, http.StatusConflict, status, answer)
	require.Contains(t, answer, "hard_bounce")
	require.Empty(t, caught(t, who.email))
}

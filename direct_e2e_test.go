package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
)

const resetTemplate = `{"key":"reset","subject":"Your new password","body":{"intros":["Somebody asked for a new password."],"actions":[{"button":{"text":"Choose it","link":"{{ event.link }}"}}]}}`

// sendDirect asks for a mail.
func (p *product) sendDirect(t *testing.T, idempotencyKey, body string) (int, api.DirectAnswer, string) {
	t.Helper()
	status, answer := p.doWith(t, http.MethodPost, "/v1/messages", p.config.AdminKey, body, "Idempotency-Key", idempotencyKey)
	var m api.DirectAnswer
	if status < 300 {
		require.NoError(t, json.Unmarshal(answer, &m))
	}
	return status, m, string(answer)
}

func startDirect(t *testing.T) *product {
	t.Helper()
	p := start(t, func(c *config) { c.TransactionalFrom = "Acme Accounts <accounts@example.com>" })
	status, answer := p.do(t, http.MethodPut, "/v1/templates/reset", p.config.AdminKey, resetTemplate)
	require.Equal(t, http.StatusOK, status, string(answer))
	return p
}

// A mail that a product asks for goes out at once, once, to whoever is waiting for it.
func TestDirectMessage(t *testing.T) {
	t.Parallel()
	p := startDirect(t)
	who := newPerson()
	id := p.identify(t, who, nil)
	body := `{"user_id":"` + who.user + `","template":"reset","data":{"link":"https://example.com/reset/xyz"}}`
	key := uuid.NewString()
	var wg sync.WaitGroup
	statuses, ids := make([]int, 6), make([]string, 6)
	for i := range statuses {
		wg.Go(func() {
			status, m, _ := p.sendDirect(t, key, body)
			statuses[i], ids[i] = status, m.ID
		})
	}
	wg.Wait()
	slices.Sort(statuses)
	require.Equal(t, []int{200, 200, 200, 200, 200, 202}, statuses, "one of them made it")
	require.Len(t, slices.Compact(ids), 1)
	eventually(t, "the mail arrives", func() bool { return len(caught(t, who.email)) == 1 })
	eventually(t, "the ledger says so", func() bool { return p.messages(t, id)[0].State == email.Sent })
	m := p.messages(t, id)[0]
	require.Equal(t, email.Transactional, m.Class)
	require.Empty(t, m.Journey)
	raw := rawMail(t, p.config.InboxURL, caught(t, who.email)[0].ID)
	require.Contains(t, raw, "From: \"Acme Accounts\" <accounts@example.com>")
	require.Contains(t, raw, "https://example.com/reset/xyz")
	require.NotContains(t, raw, "List-Unsubscribe")

	status, _, answer := p.sendDirect(t, key, strings.Replace(body, "xyz", "abc", 1))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, answer, "idempotency_key_reused")
	_, other, _ := p.sendDirect(t, uuid.NewString(), body)
	require.NotEqual(t, ids[0], other.ID)
	eventually(t, "another mail arrives", func() bool { return len(caught(t, who.email)) == 2 })
}

func TestDirectMessageToWhom(t *testing.T) {
	t.Parallel()
	p := startDirect(t)
	who, stranger, fresh := newPerson(), newPerson(), newPerson()
	p.identify(t, who, nil)
	status, m, answer := p.sendDirect(t, uuid.NewString(), `{"email":"`+stranger.email+`","template":"reset","data":{"link":"https://example.com/r"}}`)
	require.Equal(t, http.StatusAccepted, status, answer)
	eventually(t, "a mail to an address that nobody had", func() bool { return len(caught(t, stranger.email)) == 1 })
	_, again, _ := p.sendDirect(t, uuid.NewString(), `{"email":"`+stranger.email+`","template":"reset","data":{"link":"https://example.com/r"}}`)
	require.Equal(t, m.ContactID, again.ContactID, "there is one contact of an address")
	p.sendDirect(t, uuid.NewString(), `{"user_id":"`+who.user+`","to":"`+fresh.email+`","template":"reset","data":{"link":"https://example.com/r"}}`)
	eventually(t, "a mail to another address", func() bool { return len(caught(t, fresh.email)) == 1 })
	require.Empty(t, caught(t, who.email))

	db, err := store.Open(t.Context(), p.config.DatabaseURL)
	require.NoError(t, err)
	defer db.Close()
	key, err := email.AddressKey(who.email)
	require.NoError(t, err)
	require.NoError(t, db.Suppress(t.Context(), key, "hard_bounce", time.Now()))
	_, skipped, _ := p.sendDirect(t, uuid.NewString(), `{"user_id":"`+who.user+`","template":"reset","data":{"link":"https://example.com/r"}}`)
	require.Equal(t, [2]string{"skipped", "suppressed"}, [2]string{string(skipped.State), skipped.Reason})

	for body, want := range map[string]string{
		`{"user_id":"` + who.user + `","template":"nowhere"}`:                                                                   "unknown_template",
		`{"user_id":"nobody","template":"reset","data":{"link":"https://example.com/r"}}`:                                       "not_found",
		`{"email":"` + stranger.email + `","template":"reset"}`:                                                                 "render_failed",
		`{"template":"reset","data":{"link":"https://example.com/r"}}`:                                                          "one_identity",
		`{"user_id":"` + who.user + `","to":"not an address","template":"reset","data":{"link":"https://example.com/r"}}`:       "bad_address",
		`{"email":"not an address","template":"reset","data":{"link":"https://example.com/r"}}`:                                 "bad_address",
		`{"user_id":"` + who.user + `","email":"` + who.email + `","template":"reset","data":{"link":"https://example.com/r"}}`: "one_identity",
	} {
		_, _, answer := p.sendDirect(t, uuid.NewString(), body)
		require.Contains(t, answer, want, body)
	}
	status, _ = p.do(t, http.MethodPost, "/v1/messages", p.config.WriteKey, `{"email":"`+who.email+`","template":"reset","data":{"link":"https://example.com/r"}}`)
	require.Equal(t, http.StatusForbidden, status, "who may send events may not send mail")
}

// What a mail server does to it, the ledger outlives: put off, cut off after the last dot, and a sender that dies.
func TestDirectMessageSurvives(t *testing.T) {
	t.Parallel()
	p := startDirect(t)
	for name, tc := range map[string]struct {
		fault    map[string]any
		kept     int
		attempts int
	}{
		"greylisted":    {map[string]any{"at": "rcpt", "action": "reply", "code": 451, "enhanced": "4.7.1", "text": "come back"}, 1, 2},
		"after the dot": {map[string]any{"at": "after_dot", "action": "close", "keep": true}, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			who := newPerson()
			id := p.identify(t, who, nil)
			tc.fault["rcpt"], tc.fault["times"] = who.email, 1
			misbehave(t, p.config.InboxURL, tc.fault)
			status, _, answer := p.sendDirect(t, uuid.NewString(), `{"user_id":"`+who.user+`","template":"reset","data":{"link":"https://example.com/r"}}`)
			require.Equal(t, http.StatusAccepted, status, answer)
			eventually(t, "it is sent in the end", func() bool { return p.messages(t, id)[0].State == email.Sent })
			require.Equal(t, tc.attempts, p.messages(t, id)[0].Attempt)
			mails := caught(t, who.email)
			require.Len(t, mails, tc.kept)
			for _, mail := range mails {
				require.Equal(t, mails[0].MessageID, mail.MessageID, "the same bytes every time")
			}
		})
	}
}

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/mail"
	"net/smtp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

const comesBack = `
journey: bounce
enter: [{event: Signed Up}]
steps:
  - id: welcome
    send: {template: welcome}
  - id: activated
    wait_for:
      - {event: Project Created, go: tips}
      - {after: 30d, go: done}
  - id: tips
    send: {template: tips}
  - id: done
    exit: finished
`

// A mail goes out, comes back to the address that was made for it, and the next one is not sent.
func TestBounceComesBack(t *testing.T) {
	t.Parallel()
	listen := "127.0.0.1:" + freePort(t)
	p := start(t, func(c *config) { c.BounceAddress, c.BounceListen = "bounce@mail.example.test", listen })
	p.template(t, "welcome", "Welcome")
	p.template(t, "tips", "Tips")
	p.publish(t, comesBack)
	who := newPerson()
	id := p.identify(t, who, nil)
	p.track(t, who, "Signed Up", nil)
	eventually(t, "the first mail arrives", func() bool { m := p.messageAt(t, id, "welcome"); return m != nil && m.State == email.Sent })
	sent := *p.messageAt(t, id, "welcome")
	sender := caught(t, who.email)[0].From
	require.Contains(t, sender, "bounce+", "each message has an envelope sender of its own")
	message, err := mail.ReadMessage(strings.NewReader(rawMail(t, p.config.InboxURL, caught(t, who.email)[0].ID)))
	require.NoError(t, err)
	require.NotContains(t, message.Header.Get("From"), "bounce", "people see another one")

	notification := strings.ReplaceAll(`From: MAILER-DAEMON@mx.example.test
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.test

Final-Recipient: rfc822; `+who.email+`
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user
--b1--
`, "\n", "\r\n")
	require.ErrorContains(t, smtp.SendMail(listen, nil, "", []string{"bounce+" + strings.Repeat("a", 42) + "@mail.example.test"}, []byte(notification)), "550", "a forged address")
	for range 2 { // it comes twice, and counts once
		require.NoError(t, smtp.SendMail(listen, nil, "", []string{sender}, []byte(notification)))
	}
	bounced := admin[email.Message](t, p, "GET", "/v1/messages/"+sent.ID, "")
	require.Equal(t, []any{email.Sent, email.Bounced, email.Hard}, []any{bounced.State, bounced.Delivery.Status, bounced.Delivery.Bounce})
	_, consents := p.do(t, "GET", "/v1/contacts/"+id+"/consents", p.config.AdminKey, "")
	require.Contains(t, string(consents), `"hard_bounce"`, "suppressed once 250 has been answered")
	_, timeline := p.do(t, "GET", "/v1/contacts/"+id+"/timeline", p.config.AdminKey, "")
	require.Equal(t, 1, strings.Count(string(timeline), `"kind":"delivery"`))
	require.Contains(t, string(timeline), "It came back: there is no such mailbox. The address is not written to any more.")

	p.track(t, who, "Project Created", nil)
	p.ended(t, id)
	next := p.messageAt(t, id, "tips")
	require.Equal(t, []any{email.Skipped, email.ReasonSuppressed}, []any{next.State, next.Reason})
	require.Len(t, caught(t, who.email), 1)
	noPersonalData(t, who)
}

// What a provider says over HTTP: forged it leaves no trace, said twice it counts once, and unknown it is kept.
func TestProviderReports(t *testing.T) {
	t.Parallel()
	p := start(t, func(c *config) { c.Providers["WEBHOOK_MAILGUN_KEY"] = "mailgun-key" })
	p.template(t, "welcome", "Welcome")
	p.template(t, "tips", "Tips")
	p.publish(t, comesBack)
	who := newPerson()
	id := p.identify(t, who, nil)
	p.track(t, who, "Signed Up", nil)
	eventually(t, "the first mail arrives", func() bool { m := p.messageAt(t, id, "welcome"); return m != nil && m.State == email.Sent })
	sent := *p.messageAt(t, id, "welcome")
	message, err := mail.ReadMessage(strings.NewReader(rawMail(t, p.config.InboxURL, caught(t, who.email)[0].ID)))
	require.NoError(t, err)
	require.Equal(t, `{"throughline":"`+sent.ID+`"}`, message.Header.Get("X-Mailgun-Variables"), "it is made to tell our id")

	kept := func() (n int) {
		query(t, p.config.DatabaseURL, "SELECT count(*) FROM mail_reports", nil, &n)
		return n
	}
	call := func(provider, key, token, event string) int {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(at + token))
		status, _ := p.do(t, "POST", "/v1/webhooks/"+provider, "", fmt.Sprintf(`{"signature":{"timestamp":"%s","token":"%s","signature":"%x"},
			"event-data":{"event":"%s","recipient":"%s","user-variables":{"throughline":"%s"}}}`, at, token, mac.Sum(nil), event, who.email, sent.ID))
		return status
	}
	require.Equal(t, 404, call("sendgrid", "mailgun-key", "a", "complained"), "not turned on")
	require.Equal(t, 401, call("mailgun", "another key", "a", "complained"))
	require.Zero(t, kept())
	require.Equal(t, 204, call("mailgun", "mailgun-key", "new", "something new"))
	require.Equal(t, 204, call("mailgun", "mailgun-key", "a", "complained"))
	require.Equal(t, 204, call("mailgun", "mailgun-key", "a", "delivered"), "a token counts once, whatever is said with it")
	require.Equal(t, 2, kept())
	complained := admin[email.Message](t, p, "GET", "/v1/messages/"+sent.ID, "")
	require.Equal(t, email.Complained, complained.Delivery.Status)
	require.NotEmpty(t, complained.Delivery.Words)

	p.track(t, who, "Project Created", nil)
	p.ended(t, id)
	require.Equal(t, email.ReasonSuppressed, p.messageAt(t, id, "tips").Reason)
	require.Len(t, caught(t, who.email), 1)
}

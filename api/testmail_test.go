package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// noTestMails sends nothing.
type noTestMails struct{}

func (noTestMails) SendTest(context.Context, email.Template, string, string) (email.Delivery, error) {
	return email.Delivery{}, errors.New("nothing is sent here")
}

// testMailServer answers each test as it is told to.
type testMailServer struct {
	answer email.Delivery
	sent   atomic.Int64
}

func (s *testMailServer) SendTest(_ context.Context, _ email.Template, contactID, to string) (email.Delivery, error) {
	switch {
	case contactID == absentID:
		return email.Delivery{}, absent("contact")
	case to == "gone@example.test":
		return email.Delivery{}, fault.New(fault.Conflict, "suppressed", "This address is never written to: hard_bounce.")
	}
	s.sent.Add(1)
	return s.answer, nil
}

func testMail(key, to, more string) call {
	return call{method: "POST", url: "/v1/templates/test", key: key, body: fmt.Sprintf(`{"template":{"subject":"Hi","body":{"intros":["One."]}},"to":%q%s}`, to, more)}
}

func TestTestMailTellsItsFate(t *testing.T) {
	t.Parallel()
	server := &testMailServer{}
	w := newWorld(t, func(o *Options) { o.TestMails = server })
	for _, tc := range []struct {
		answer email.Delivery
		says   []string
	}{
		{email.Delivery{Outcome: email.OutcomeAccepted, Phase: "dot", Code: 250, Reply: "queued as 1"}, []string{`"accepted"`, "has taken the mail", "queued as 1"}},
		{email.Delivery{Outcome: email.OutcomeRejected, Phase: "rcpt", Code: 550, Enhanced: "5.1.1", Reply: "no such user you@example.test"}, []string{`"rejected"`, "for good: “550 5.1.1 no such user you@example.test”"}},
		{email.Delivery{Outcome: email.OutcomeDeferred, Phase: "mail", Code: 421, Enhanced: "4.7.0", Reply: "4.7.0 busy"}, []string{`"deferred"`, "put the mail off", "“421 4.7.0 busy”"}},
		{email.Delivery{Outcome: email.OutcomeNotSent, Phase: "connect", Err: errors.New("dial 10.1.2.3")}, []string{`"not_sent"`, "can't be reached"}},
		{email.Delivery{Outcome: email.OutcomeNotSent, Phase: "auth", Code: 535, Reply: "wrong password"}, []string{`"not_sent"`, "let nobody in: “535 wrong password”"}},
		{email.Delivery{Outcome: email.OutcomeNotSent, Phase: "data"}, []string{`"not_sent"`, "broke off."}},
		{email.Delivery{Outcome: email.OutcomeUnknown, Phase: "dot"}, []string{`"unknown"`, "Nobody knows"}},
	} {
		server.answer = tc.answer
		w.run(t, []row{{name: string(tc.answer.Outcome), call: testMail("key-journeys", "you@example.test", ""), status: 200, contains: tc.says, notContains: []string{"10.1.2.3"}}})
	}
	require.Contains(t, w.log.String(), `"msg":"test mail"`)
	require.NotContains(t, w.log.String(), "you@example.test", "no address in the log, not even in the server's words")
	require.NotContains(t, w.log.String(), "no such user")
}

func TestTestMailIsRefused(t *testing.T) {
	t.Parallel()
	server := &testMailServer{answer: email.Delivery{Outcome: email.OutcomeAccepted}}
	w := newWorld(t, func(o *Options) { o.TestMails = server })
	w.run(t, []row{
		{name: "a reader", call: testMail("key-read", "you@example.test", ""), status: 403},
		{name: "no address", call: testMail("key-journeys", "secret at home", ""), status: 422, contains: []string{`"/to"`, "invalid_address"}, notContains: []string{"secret"}},
		{name: "two addresses", call: testMail("key-journeys", "a@example.test, b@example.test", ""), status: 422, contains: []string{`"/to"`}},
		{name: "a header", call: testMail("key-journeys", "a@example.test\r\nBcc: b@example.test", ""), status: 422, contains: []string{`"/to"`}},
		{name: "a mail with errors, to nobody", status: 422, contains: []string{`"/subject"`, `"/to"`},
			call: call{method: "POST", url: "/v1/templates/test", key: "key-journeys", body: `{"template":{"subject":"","body":{"intros":["One."]}},"to":""}`}},
		{name: "suppressed", call: testMail("key-journeys", "gone@example.test", ""), status: 409, contains: []string{"suppressed", "hard_bounce"}},
		{name: "of nobody", call: testMail("key-journeys", "you@example.test", `,"contact_id":"`+absentID+`"`), status: 404},
		{name: "of no id", call: testMail("key-journeys", "you@example.test", `,"contact_id":"x"`), status: 404},
	})
	require.Zero(t, server.sent.Load())
}

// Each key may send thirty within any hour, whatever it sends, and is told when to come back; the others don't notice.
func TestTestMailsAreBounded(t *testing.T) {
	t.Parallel()
	server := &testMailServer{answer: email.Delivery{Outcome: email.OutcomeAccepted}}
	w := newWorld(t, func(o *Options) { o.TestMails = server })
	first := w.now
	for n := range testMailsAnHour {
		w.now = first.Add(time.Duration(n) * time.Minute)
		require.Equal(t, http.StatusOK, w.do(t, testMail("key-journeys", "you@example.test", "")).Code)
	}
	answer := w.do(t, testMail("key-journeys", "you@example.test", ""))
	require.Equal(t, http.StatusTooManyRequests, answer.Code)
	require.Equal(t, "1860", answer.Header().Get("Retry-After"), "an hour after the first, 29 minutes later")
	require.Contains(t, answer.Body.String(), "Try again in 31 minutes.")
	require.Equal(t, http.StatusTooManyRequests, w.do(t, testMail("key-journeys", "gone@example.test", "")).Code)
	require.Equal(t, http.StatusOK, w.do(t, testMail("key-admin", "you@example.test", "")).Code)
	require.Equal(t, int64(testMailsAnHour+1), server.sent.Load())

	w.now = first.Add(time.Hour)
	require.Equal(t, http.StatusOK, w.do(t, testMail("key-journeys", "you@example.test", "")).Code, "the first one is an hour ago")
	require.Equal(t, http.StatusTooManyRequests, w.do(t, testMail("key-journeys", "you@example.test", "")).Code, "and the second is not")
}

func TestTheUnsubscribeLinkOfATest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, []row{
		{name: "the page", call: call{method: "GET", url: "/u/test-token"}, status: 200, contains: []string{"This was a test"}, notContains: []string{"<button>"}},
		{name: "one click", call: call{method: "POST", url: "/u/test-token", body: "List-Unsubscribe=One-Click", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
			status: 200, contains: []string{"This was a test"}, notContains: []string{"You are unsubscribed"}},
	})
	require.Empty(t, w.stopped)
}

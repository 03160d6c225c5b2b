package email_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/email"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mailBytes = "Subject: hello\r\n\r\nfirst\r\n.second\r\n..third\r\n"

func envelope() email.Envelope {
	return email.Envelope{From: "bounce@example.com", To: "ana@example.net", Bytes: []byte(mailBytes)}
}

func transport(t testing.TB, o email.Options) *email.Transport {
	t.Helper()
	tr, err := email.NewTransport(o)
	require.NoError(t, err)
	t.Cleanup(tr.Close)
	return tr
}

// soon are limits for tests in which a server hangs.
func soon() email.Timeouts {
	const limit = 60 * time.Millisecond
	return email.Timeouts{Connect: time.Second, Hello: limit, Command: limit, Body: limit, Dot: limit}
}

func TestSendDeliversTheVeryBytes(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{})
	d := transport(t, email.Options{URL: server.url("smtp")}).Send(t.Context(), envelope())
	require.NoError(t, d.Err)
	require.Equal(t, email.Delivery{Outcome: email.OutcomeAccepted, Phase: "dot", Code: 250, Enhanced: "2.0.0", Reply: "2.0.0 queued as 42"}, d)
	mails, partial := server.seen()
	require.Equal(t, []string{"Subject: hello\r\n\r\nfirst\r\n..second\r\n...third\r\n"}, mails) // with its dots doubled
	require.Empty(t, partial)
	require.Equal(t, []string{"EHLO localhost", "MAIL FROM:<bounce@example.com>", "RCPT TO:<ana@example.net>", "DATA"}, server.said())
}

func TestSendOutcomes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		phase, do string
		outcome   email.Outcome
		at        string
		code      int
	}{
		{"greeting", "cut", email.OutcomeNotSent, "greeting", 0},
		{"greeting", "half", email.OutcomeNotSent, "greeting", 0},
		{"greeting", "hang", email.OutcomeNotSent, "greeting", 0},
		{"greeting", "after", email.OutcomeNotSent, "hello", 0},
		{"greeting", "421 4.3.2 busy", email.OutcomeDeferred, "greeting", 421},
		{"greeting", "554 5.7.1 no", email.OutcomeNotSent, "greeting", 554},
		{"greeting", "HTTP/1.1 400 Bad Request", email.OutcomeNotSent, "greeting", 0},
		{"ehlo", "cut", email.OutcomeNotSent, "hello", 0},
		{"ehlo", "half", email.OutcomeNotSent, "hello", 0},
		{"ehlo", "hang", email.OutcomeNotSent, "hello", 0},
		{"ehlo", "after", email.OutcomeNotSent, "mail", 0},
		{"ehlo", "450 4.3.2 later", email.OutcomeDeferred, "hello", 450},
		{"mail", "cut", email.OutcomeNotSent, "mail", 0},
		{"mail", "hang", email.OutcomeNotSent, "mail", 0},
		{"mail", "after", email.OutcomeNotSent, "rcpt", 0},
		{"mail", "451 4.7.1 slow down", email.OutcomeDeferred, "mail", 451},
		{"mail", "550 5.7.1 sender refused", email.OutcomeRejected, "mail", 550},
		{"mail", "250-one\r\n250", email.OutcomeAccepted, "dot", 250},
		{"rcpt", "cut", email.OutcomeNotSent, "rcpt", 0},
		{"rcpt", "hang", email.OutcomeNotSent, "rcpt", 0},
		{"rcpt", "after", email.OutcomeNotSent, "data", 0},
		{"rcpt", "450 4.2.0 greylisted", email.OutcomeDeferred, "rcpt", 450},
		{"rcpt", "421 4.3.2 going down", email.OutcomeDeferred, "rcpt", 421},
		{"rcpt", "550 5.1.1 no such user", email.OutcomeRejected, "rcpt", 550},
		{"rcpt", "251 will forward", email.OutcomeAccepted, "dot", 250},
		{"data", "cut", email.OutcomeNotSent, "data", 0},
		{"data", "hang", email.OutcomeNotSent, "data", 0},
		{"data", "451 4.3.0 no", email.OutcomeDeferred, "data", 451},
		{"data", "554 5.7.1 no", email.OutcomeRejected, "data", 554},
		{"data", "250 what", email.OutcomeNotSent, "data", 250},
		{"dot", "cut", email.OutcomeUnknown, "dot", 0},
		{"dot", "half", email.OutcomeUnknown, "dot", 0},
		{"dot", "hang", email.OutcomeUnknown, "dot", 0},
		{"dot", "nonsense", email.OutcomeUnknown, "dot", 0},
		{"dot", "354 again", email.OutcomeUnknown, "dot", 0},
		{"dot", "after", email.OutcomeAccepted, "dot", 250},
		{"dot", "452 4.2.2 mailbox full", email.OutcomeDeferred, "dot", 452},
		{"dot", "554 5.7.1 spam", email.OutcomeRejected, "dot", 554},
	} {
		t.Run(tc.phase+" "+tc.do, func(t *testing.T) {
			t.Parallel()
			server := newSMTPServer(t, script{phase: tc.phase, do: tc.do})
			limits := email.Timeouts{}
			if tc.do == "hang" {
				limits = soon()
			}
			d := transport(t, email.Options{URL: server.url("smtp"), Timeouts: limits}).Send(t.Context(), envelope())
			require.Equal(t, tc.outcome, d.Outcome, "%v", d.Err)
			require.Equal(t, tc.at, d.Phase)
			require.Equal(t, tc.code, d.Code)
			require.Equal(t, d.Outcome != email.OutcomeAccepted, d.Err != nil)
			server.close()
			mails, _ := server.seen()
			require.Equal(t, tc.at == "dot", len(mails) == 1, "the server saw %d final dots", len(mails))
		})
	}
}

// A body that is cut must never be completed: the server would keep half a mail.
func TestSendNeverEndsACutBody(t *testing.T) {
	t.Parallel()
	big := envelope()
	big.Bytes = []byte("Subject: big\r\n\r\n" + strings.Repeat("0123456789012345678901234567890123456789\r\n", 200_000)) // more than the socket buffers hold
	for _, tc := range []script{{phase: "body", do: "cut", bytes: 1000}, {phase: "body", do: "hang"}, {phase: "body", do: "stall"}} {
		t.Run(tc.do, func(t *testing.T) {
			t.Parallel()
			server := newSMTPServer(t, tc)
			d := transport(t, email.Options{URL: server.url("smtp"), Timeouts: soon()}).Send(t.Context(), big)
			require.Equal(t, email.OutcomeNotSent, d.Outcome, "%v", d.Err)
			require.Equal(t, "body", d.Phase)
			close(server.resume) // now the server reads what it was sent, to the end
			require.Eventually(t, func() bool { return tc.do == "hang" || server.settled() }, 10*time.Second, time.Millisecond)
			server.close()
			mails, _ := server.seen()
			require.Empty(t, mails)
		})
	}
}

func TestSendKeepsConnections(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{phase: "rcpt", do: "550 5.1.1 no such user", turn: 0})
	tr := transport(t, email.Options{URL: server.url("smtp"), MaxMails: 3})
	require.Equal(t, email.OutcomeRejected, tr.Send(t.Context(), envelope()).Outcome)
	require.Equal(t, email.OutcomeRejected, tr.Send(t.Context(), envelope()).Outcome)
	require.Equal(t, 1, server.connections())
	require.Contains(t, server.said(), "RSET", "a refused mail has to be taken back before the next")

	healthy := newSMTPServer(t, script{})
	tr = transport(t, email.Options{URL: healthy.url("smtp"), MaxMails: 3})
	for range 7 {
		require.Equal(t, email.OutcomeAccepted, tr.Send(t.Context(), envelope()).Outcome)
	}
	require.Equal(t, 3, healthy.connections(), "three mails a connection")
	require.NotContains(t, healthy.said(), "RSET", "a round trip for nothing")
}

func TestSendRedialsAStaleConnection(t *testing.T) {
	t.Parallel()
	for _, tc := range []script{
		{},
		{phase: "dot", do: "after", once: true}, // 250, then the end
		{phase: "mail", do: "421 4.4.2 idle too long", turn: 1, once: true}, // the end, announced
		{phase: "mail", do: "cut", turn: 1, once: true},
	} {
		t.Run(tc.phase+tc.do, func(t *testing.T) {
			t.Parallel()
			server := newSMTPServer(t, tc)
			tr := transport(t, email.Options{URL: server.url("smtp")})
			require.Equal(t, email.OutcomeAccepted, tr.Send(t.Context(), envelope()).Outcome)
			if tc.phase == "" {
				server.hangUp()
			}
			d := tr.Send(t.Context(), envelope())
			require.Equal(t, email.OutcomeAccepted, d.Outcome, "%v", d.Err)
			require.Equal(t, 2, server.connections())
			mails, _ := server.seen()
			require.Len(t, mails, 2)
		})
	}
}

// Only the first command may be repeated: a cut further on is reported.
func TestSendRedialsOnce(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{phase: "rcpt", do: "cut", turn: 1})
	tr := transport(t, email.Options{URL: server.url("smtp")})
	require.Equal(t, email.OutcomeAccepted, tr.Send(t.Context(), envelope()).Outcome)
	require.Equal(t, email.OutcomeNotSent, tr.Send(t.Context(), envelope()).Outcome)
	require.Equal(t, 1, server.connections())

	gone := newSMTPServer(t, script{phase: "greeting", do: "cut"})
	tr = transport(t, email.Options{URL: gone.url("smtp")})
	require.Equal(t, email.OutcomeNotSent, tr.Send(t.Context(), envelope()).Outcome)
	require.Equal(t, 1, gone.connections(), "a fresh connection is not tried twice")
}

func TestSendAfterIdleTime(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{})
	tr := transport(t, email.Options{URL: server.url("smtp"), Timeouts: email.Timeouts{Idle: time.Millisecond}})
	require.Equal(t, email.OutcomeAccepted, tr.Send(t.Context(), envelope()).Outcome)
	require.Eventually(t, func() bool {
		said := server.said()
		return said[len(said)-1] == "QUIT"
	}, 5*time.Second, time.Millisecond)
	require.Equal(t, email.OutcomeAccepted, tr.Send(t.Context(), envelope()).Outcome)
	require.Equal(t, 2, server.connections())
}

func TestSendAfterClose(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{})
	tr := transport(t, email.Options{URL: server.url("smtp")})
	tr.Close()
	require.Equal(t, email.OutcomeNotSent, tr.Send(t.Context(), envelope()).Outcome)
	require.Zero(t, server.connections())
}

func TestSendCancelled(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"greeting", "ehlo", "mail", "rcpt", "data"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			server := newSMTPServer(t, script{phase: phase, do: "hang"})
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			d := transport(t, email.Options{URL: server.url("smtp")}).Send(ctx, envelope())
			require.Equal(t, email.OutcomeNotSent, d.Outcome)
			server.close()
			mails, _ := server.seen()
			require.Empty(t, mails)
		})
	}
	t.Run("waiting for a slot", func(t *testing.T) {
		t.Parallel()
		server := newSMTPServer(t, script{phase: "greeting", do: "hang"})
		tr := transport(t, email.Options{URL: server.url("smtp"), MaxConns: 1})
		ctx, cancel := context.WithCancel(t.Context())
		var first email.Delivery
		var wg sync.WaitGroup
		wg.Go(func() { first = tr.Send(ctx, envelope()) })
		require.Eventually(t, func() bool { return server.connections() == 1 }, 5*time.Second, time.Millisecond)
		over, done := context.WithTimeout(t.Context(), time.Millisecond)
		defer done()
		require.Equal(t, email.OutcomeNotSent, tr.Send(over, envelope()).Outcome)
		cancel()
		wg.Wait()
		require.Equal(t, email.OutcomeNotSent, first.Outcome)
	})
}

// Once the body is on its way, a cancelled context must not turn a delivered mail into an unknown one.
func TestSendIgnoresCancelFromTheBodyOn(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	server := newSMTPServer(t, script{})
	server.onDot = func() { <-gate }
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan email.Delivery)
	tr := transport(t, email.Options{URL: server.url("smtp")})
	go func() { result <- tr.Send(ctx, envelope()) }()
	require.Eventually(t, func() bool { mails, _ := server.seen(); return len(mails) == 1 }, 5*time.Second, time.Millisecond)
	cancel()
	close(gate)
	require.Equal(t, email.OutcomeAccepted, (<-result).Outcome)
}

func TestSendConcurrently(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{})
	tr := transport(t, email.Options{URL: server.url("smtp"), MaxConns: 3})
	var wg sync.WaitGroup
	deliveries := make([]email.Delivery, 60)
	for i := range deliveries {
		wg.Go(func() {
			e := envelope()
			e.Bytes = fmt.Appendf(nil, "Subject: %d\r\n\r\nhello\r\n", i)
			deliveries[i] = tr.Send(t.Context(), e)
		})
	}
	wg.Wait()
	for _, d := range deliveries {
		require.Equal(t, email.OutcomeAccepted, d.Outcome, "%v", d.Err)
	}
	mails, _ := server.seen()
	seen := map[string]bool{}
	for _, m := range mails {
		seen[m] = true
	}
	require.Len(t, seen, len(deliveries))
	require.LessOrEqual(t, server.connections(), 3)
}

func TestSendTLS(t *testing.T) {
	t.Parallel()
	serverTLS, clientTLS := selfSigned(t)
	for _, tc := range []struct {
		name, scheme string
		script       script
		client       *tls.Config
		outcome      email.Outcome
		phase        string
	}{
		{"starttls when offered", "smtp", script{tls: serverTLS}, clientTLS, email.OutcomeAccepted, "dot"},
		{"required and offered", "smtp+starttls", script{tls: serverTLS}, clientTLS, email.OutcomeAccepted, "dot"},
		{"required and missing", "smtp+starttls", script{}, clientTLS, email.OutcomeNotSent, "starttls"},
		{"required and refused", "smtp+starttls", script{tls: serverTLS, phase: "starttls", do: "454 4.7.0 not now"}, clientTLS, email.OutcomeDeferred, "starttls"},
		{"implicit", "smtps", script{tls: serverTLS, implicit: true}, clientTLS, email.OutcomeAccepted, "dot"},
		{"unknown certificate", "smtp", script{tls: serverTLS}, &tls.Config{MinVersion: tls.VersionTLS12}, email.OutcomeNotSent, "starttls"},
		{"own certificate on loopback", "smtp", script{tls: serverTLS}, nil, email.OutcomeAccepted, "dot"},
		{"cut at the dot", "smtps", script{tls: serverTLS, implicit: true, phase: "dot", do: "cut"}, clientTLS, email.OutcomeUnknown, "dot"},
		{"text behind the reply", "smtp", script{tls: serverTLS, phase: "starttls", do: "220 go\r\n250 injected"}, clientTLS, email.OutcomeNotSent, "starttls"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := newSMTPServer(t, tc.script)
			d := transport(t, email.Options{URL: server.url(tc.scheme), TLS: tc.client}).Send(t.Context(), envelope())
			require.Equal(t, tc.outcome, d.Outcome, "%v", d.Err)
			require.Equal(t, tc.phase, d.Phase)
		})
	}
}

func TestSendAuthenticates(t *testing.T) {
	t.Parallel()
	at := func(s *smtpServer) string { return strings.Replace(s.url("smtp"), "://", "://user:secret@", 1) }
	server := newSMTPServer(t, script{extensions: []string{"AUTH PLAIN LOGIN"}})
	require.Equal(t, email.OutcomeAccepted, transport(t, email.Options{URL: at(server)}).Send(t.Context(), envelope()).Outcome)
	require.Contains(t, server.said(), "AUTH PLAIN AHVzZXIAc2VjcmV0")

	wrong := newSMTPServer(t, script{extensions: []string{"AUTH PLAIN"}, phase: "auth", do: "535 5.7.8 wrong"})
	d := transport(t, email.Options{URL: at(wrong)}).Send(t.Context(), envelope())
	require.Equal(t, email.OutcomeNotSent, d.Outcome, "a wrong password is no bounce")
	require.Equal(t, 535, d.Code)

	none := newSMTPServer(t, script{})
	d = transport(t, email.Options{URL: at(none)}).Send(t.Context(), envelope())
	require.Equal(t, "auth", d.Phase)
	require.NotContains(t, d.Err.Error(), "secret")
}

func TestSendRefusesABadEnvelope(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{})
	tr := transport(t, email.Options{URL: server.url("smtp")})
	for _, e := range []email.Envelope{
		{From: "a@example.com", To: "b@example.com\r\nRCPT TO:<c@example.com>", Bytes: []byte("x")},
		{From: "a@example.com>\r\nDATA", To: "b@example.com", Bytes: []byte("x")},
		{From: "a@example.com", To: "b@example.com> SIZE=1", Bytes: []byte("x")},
		{From: "a@example.com", To: "b@example.com"},
	} {
		require.Equal(t, email.OutcomeNotSent, tr.Send(t.Context(), e).Outcome)
	}
	require.Zero(t, server.connections())
}

func TestNewTransportRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "host:25", "http://host", "smtp://", "smtps://host?tls=off", "smtp://us er:pass@ho st"} {
		_, err := email.NewTransport(email.Options{URL: url})
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "pass@")
	}
	_, err := email.NewTransport(email.Options{URL: "smtp://host", Hello: "a\r\nb"})
	require.Error(t, err)
}

// Wherever a conversation is cut: accepted means that the client read a 250, and a mail that the server has whole is never
// reported as not sent.
func TestSendCutAnywhere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := script{
			phase: rapid.SampledFrom([]string{"", "greeting", "ehlo", "mail", "rcpt", "data", "body", "dot"}).Draw(r, "phase"),
			do:    rapid.SampledFrom([]string{"cut", "half", "after", "421 4.0.0 bye", "451 4.0.0 later", "550 5.0.0 no", "250 yes"}).Draw(r, "do"),
			turn:  rapid.IntRange(0, 2).Draw(r, "turn"),
			bytes: rapid.IntRange(0, 80).Draw(r, "bytes"),
		}
		server := newSMTPServer(t, s)
		defer server.close()
		tr, err := email.NewTransport(email.Options{URL: server.url("smtp")})
		require.NoError(r, err)
		defer tr.Close()
		for i := range 3 {
			e := envelope()
			e.Bytes = fmt.Appendf(nil, "Subject: %d\r\n\r\n%s\r\n", i, strings.Repeat("x", rapid.IntRange(0, 60).Draw(r, "length")))
			d := tr.Send(context.Background(), e)
			whole := 0
			require.Eventually(r, func() bool { return server.settled() }, 5*time.Second, 100*time.Microsecond)
			mails, _ := server.seen()
			for _, m := range mails {
				if m == string(e.Bytes) {
					whole++
				}
			}
			require.LessOrEqual(r, whole, 1, "sent twice")
			switch d.Outcome {
			case email.OutcomeAccepted:
				require.Equal(r, 1, whole)
				require.Equal(r, 250, d.Code)
				require.NoError(r, d.Err)
			case email.OutcomeNotSent:
				require.Zero(r, whole)
				require.Error(r, d.Err)
			case email.OutcomeDeferred, email.OutcomeRejected:
				require.Equal(r, d.Phase == "dot", whole == 1)
			case email.OutcomeUnknown:
				require.Equal(r, "dot", d.Phase)
			default:
				require.Fail(r, "no outcome")
			}
			for _, m := range mails {
				require.True(r, strings.HasPrefix(m, "Subject: ") && strings.HasSuffix(m, "\r\n"), "half a mail was ended")
			}
		}
	})
}

func TestDeliveryErrorsHoldNoAddress(t *testing.T) {
	t.Parallel()
	server := newSMTPServer(t, script{phase: "rcpt", do: "550 5.1.1 <ana@example.net>: unknown"})
	d := transport(t, email.Options{URL: server.url("smtp")}).Send(t.Context(), envelope())
	require.NotContains(t, d.Err.Error(), "ana@")
	require.Contains(t, d.Reply, "ana@", "the ledger may keep it")
	require.Equal(t, "5.1.1", d.Enhanced)
	require.False(t, errors.Is(d.Err, context.Canceled))
}

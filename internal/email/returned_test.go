package email_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

var returnedAt = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func bounceAddresses(t testing.TB) email.BounceAddresses {
	t.Helper()
	b, err := email.NewBounceAddresses("bounce@mail.acme.test", []byte("key"))
	require.NoError(t, err)
	return b
}

func mailReport(kind, body string) string {
	return strings.ReplaceAll("From: MAILER-DAEMON@mx.test\nTo: somebody\nSubject: Undelivered\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"+
		"Content-Type: multipart/report; report-type="+kind+"; boundary=\"b1\"\n\n--b1\nContent-Type: text/plain\n\nSorry.\n\n--b1\nContent-Type: message/"+kind+"\n\n"+
		body+"\n--b1--\n", "\n", "\r\n")
}

func dsn(action, status, diagnostic string) string {
	return mailReport("delivery-status", "Reporting-MTA: dns; mx.test\nArrival-Date: Sun, 1 Mar 2026 09:00:00 +0000\n\n"+
		"Final-Recipient: rfc822;\n  ana@example.test\nAction: "+action+"\nStatus: "+status+"\nDiagnostic-Code: "+diagnostic+"\n")
}

func TestBounceAddresses(t *testing.T) {
	t.Parallel()
	b := bounceAddresses(t)
	id := uuid.NewString()
	address, err := b.Of(id)
	require.NoError(t, err)
	_, err = email.ParseAddress(address)
	require.NoError(t, err)
	for _, written := range []string{address, strings.ToUpper(address), "<" + address + ">"} {
		got, ours := b.Takes(written)
		require.True(t, ours)
		require.Equal(t, id, got)
	}
	got, ours := b.Takes("Bounce@mail.acme.test")
	require.True(t, ours)
	require.Empty(t, got)
	stranger, err := email.NewBounceAddresses("bounce@mail.acme.test", []byte("another"))
	require.NoError(t, err)
	forged, err := stranger.Of(id)
	require.NoError(t, err)
	for _, no := range []string{forged, "x" + address, strings.Replace(address, "acme", "evil", 1), "bounce+@mail.acme.test", "bounce+" + strings.Repeat("!", 42) + "@mail.acme.test", "", "@", "+"} {
		_, ours := b.Takes(no)
		require.False(t, ours, no)
	}
	for _, bad := range []string{"bounce", "much-too-long-for-a-token@acme.test", "a+b@acme.test"} {
		_, err := email.NewBounceAddresses(bad, nil)
		require.Error(t, err, bad)
	}
}

func TestReadReturned(t *testing.T) {
	t.Parallel()
	b := bounceAddresses(t)
	id := uuid.NewString()
	sender, err := b.Of(id)
	require.NoError(t, err)
	for _, tc := range []struct {
		name, raw, to, wantID string
		status                email.Status
		bounce                email.Bounce
		code                  string
	}{
		{"no such user", dsn("failed", "5.1.1", "smtp; 550 5.1.1 no such user"), id, id, email.Bounced, email.Hard, "5.1.1"},
		{"the diagnostic knows better", dsn("failed", "5.0.0", "smtp; 550 5.1.1 <ana@example.test>: unknown"), id, id, email.Bounced, email.Hard, "5.1.1"},
		{"an address is no code", dsn("failed", "5.0.0", "smtp; host 5.1.1.1 said no"), id, id, email.Bounced, email.Soft, "5.0.0"},
		{"full", dsn("failed", "5.2.2 (full)", "smtp; 552 full"), id, id, email.Bounced, email.Soft, "5.2.2"},
		{"policy", dsn("Failed", "5.7.1", "smtp; 550 5.7.1 spam"), id, id, email.Bounced, email.Block, "5.7.1"},
		{"delayed", dsn("delayed", "4.4.1", ""), id, id, email.Delayed, "", "4.4.1"},
		{"delivered", dsn("delivered", "2.0.0", ""), id, id, email.Delivered, "", "2.0.0"},
		{"relayed says nothing", dsn("relayed", "2.0.0", ""), id, id, "", "", ""},
		{"no token", dsn("failed", "5.1.1", ""), "", "", "", "", ""},
		{"spam", mailReport("feedback-report", "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\nOriginal-Mail-From: <"+sender+">\nOriginal-Rcpt-To: <ana@example.test>\n"), "", id, email.Complained, "", ""},
		{"spam to the message's address", mailReport("feedback-report", "Feedback-Type: abuse\nVersion: 1\n"), id, id, email.Complained, "", ""},
		{"not spam", mailReport("feedback-report", "Feedback-Type: not-spam\nVersion: 1\n"), id, id, "", "", ""},
		{"spam, forged", mailReport("feedback-report", "Feedback-Type: abuse\nOriginal-Mail-From: <bounce+"+strings.Repeat("a", 42)+"@mail.acme.test>\n"), "", "", "", "", ""},
		{"absence note", "From: ana@example.test\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\n550 5.1.1 until Monday\r\n", id, "", "", "", ""},
		{"read receipt", mailReport("disposition-notification", "Disposition: automatic-action; displayed\n"), id, "", "", "", ""},
		{"nonsense", "\x00", id, "", "", "", ""},
	} {
		r, ok := b.ReadReturned([]byte(tc.raw), tc.to, returnedAt)
		require.Equal(t, tc.wantID != "", ok, tc.name)
		if ok {
			require.Equal(t, []any{tc.wantID, tc.status, tc.bounce, tc.code}, []any{r.MessageID, r.Status, r.Bounce, r.Code}, tc.name)
			require.NotEmpty(t, r.Key)
		}
	}
}

func FuzzReadReturnedDSN(f *testing.F) {
	f.Add(dsn("failed", "5.1.1", "smtp; 550 5.1.1 no"))
	f.Add(strings.ReplaceAll(dsn("failed", "5.1.1", "x"), "\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n"))
	fuzzReturned(f)
}

func FuzzReadReturnedARF(f *testing.F) {
	f.Add(mailReport("feedback-report", "Feedback-Type: abuse\nOriginal-Mail-From: <bounce@mail.acme.test>\n"))
	fuzzReturned(f)
}

// Whatever comes, it is a report of the message that the address named, or none.
func fuzzReturned(f *testing.F) {
	b := bounceAddresses(f)
	id := uuid.NewString()
	f.Fuzz(func(t *testing.T, raw string) {
		r, ok := b.ReadReturned([]byte(raw), id, returnedAt)
		if ok {
			require.Equal(t, id, r.MessageID)
			require.Equal(t, r.Status == email.Bounced, r.Bounce != "")
		}
		_, ok = b.ReadReturned([]byte(raw), "", returnedAt)
		require.False(t, ok, "nobody else makes our tokens")
	})
}

// listening runs a listener whose reports a test sees.
func listening(t *testing.T, take func([]email.Report) error) (addr string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := &email.Listener{Addresses: bounceAddresses(t), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Take: func(_ context.Context, reports []email.Report) error { return take(reports) }}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, listener) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	return listener.Addr().String()
}

func TestListener(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var taken []email.Report
	var fail error
	addr := listening(t, func(reports []email.Report) error {
		mu.Lock()
		defer mu.Unlock()
		if fail == nil {
			taken = append(taken, reports...)
		}
		return fail
	})
	id := uuid.NewString()
	to, err := bounceAddresses(t).Of(id)
	require.NoError(t, err)
	send := func(to, raw string) error { return smtp.SendMail(addr, nil, "", []string{to}, []byte(raw)) }
	require.NoError(t, send(to, dsn("failed", "5.1.1", "")))
	require.Len(t, taken, 1)
	require.Equal(t, []any{id, email.Hard}, []any{taken[0].MessageID, taken[0].Bounce})
	require.NoError(t, send(to, "Subject: Away\r\n\r\nUntil Monday\r\n"), "an absence note is taken and forgotten")
	require.Len(t, taken, 1)
	require.ErrorContains(t, send("bounce+"+strings.Repeat("a", 42)+"@mail.acme.test", dsn("failed", "5.1.1", "")), "550")
	require.ErrorContains(t, send("ana@example.test", dsn("failed", "5.1.1", "")), "550", "no relay")
	require.ErrorContains(t, send(to, dsn("failed", "5.1.1", strings.Repeat(fmt.Sprintln("x"), 1<<20))), "552", "too large")
	mu.Lock()
	fail = errors.New("the database is down")
	mu.Unlock()
	require.ErrorContains(t, send(to, dsn("failed", "5.1.1", "")), "451", "not answered before it is kept")
	require.Len(t, taken, 1)
}

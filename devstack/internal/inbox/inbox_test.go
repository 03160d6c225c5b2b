package inbox

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// box is a running inbox and a client for its API. Mail goes in through an independent SMTP client.
type box struct {
	t    *testing.T
	smtp string
	http string
	stop func()
}

func start(t *testing.T, dir string) box {
	t.Helper()
	log, err := openLog(filepath.Join(dir, "mails.log"))
	require.NoError(t, err)
	mail, err := listen(0)
	require.NoError(t, err)
	page, err := listen(0)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended, ready := make(chan error, 1), make(chan struct{})
	go func() { ended <- run(ctx, log, mail, page, func() { close(ready) }) }()
	<-ready
	stopped := false
	b := box{t: t, smtp: mail.Addr().String(), http: "http://" + page.Addr().String()}
	b.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, log.close())
	}
	t.Cleanup(b.stop)
	return b
}

func (b box) call(method, path string, body any, want int) []byte {
	b.t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		require.NoError(b.t, err)
		in = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.http+path, in)
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	require.NoError(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	require.Equal(b.t, want, res.StatusCode, string(text))
	return text
}

func read[T any](b box, path string) T {
	b.t.Helper()
	var out T
	require.NoError(b.t, json.Unmarshal(b.call("GET", path, nil, 200), &out))
	return out
}

func (b box) fault(f Fault) { b.t.Helper(); b.call("POST", "/api/faults", f, 201) }

func (b box) mails() []Message { b.t.Helper(); return read[[]Message](b, "/api/messages") }

func (b box) dial() (*smtp.Client, error) {
	conn, err := net.Dial("tcp", b.smtp)
	if err != nil {
		return nil, err
	}
	c := smtp.NewClient(conn)
	c.CommandTimeout, c.SubmissionTimeout = 5*time.Second, 5*time.Second
	return c, c.Hello("client.example")
}

const source = "Message-ID: <one@example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n" +
	"caf\xe9\r\n.dot\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"<p>caf=C3=A9</p>\r\n--b--\r\n"

// send is one mail in one conversation; the error is the client's view.
func (b box) send(to ...string) error {
	c, err := b.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SendMail("from@sender.example", to, strings.NewReader(source)); err != nil {
		return err
	}
	b.awaitReplied(to...)
	return nil
}

// awaitReplied waits until the server has noted the reply to the newest mail to these recipients: its client may read it before that.
func (b box) awaitReplied(to ...string) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		for _, m := range b.mails() {
			if slices.Equal(m.To, to) {
				return m.Replied
			}
		}
		return false
	}, 5*time.Second, 5*time.Millisecond)
}

func TestAMailIsKeptAndShown(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	require.Empty(t, b.mails())
	require.NoError(t, b.send("ana@x.example", "bob@y.example"))
	require.NoError(t, b.send("eve@x.example"))

	all := b.mails()
	require.Len(t, all, 2)
	require.Equal(t, []string{"2", "1"}, []string{all[0].ID, all[1].ID}, "newest first")
	one := all[1]
	require.Equal(t, "from@sender.example", one.From)
	require.Equal(t, []string{"ana@x.example", "bob@y.example"}, one.To)
	require.Equal(t, "Grüße", one.Subject)
	require.Equal(t, "one@example", one.MessageID)
	require.Equal(t, len(source), one.Size)
	require.True(t, one.Replied)

	type full struct {
		Message
		content
	}
	whole := read[full](b, "/api/messages/1")
	require.Equal(t, "café\r\n.dot", whole.Text, "decoded, and unstuffed")
	require.Equal(t, "<p>café</p>", whole.HTML)
	require.Empty(t, whole.Problem)
	require.Contains(t, whole.Headers, header{Name: "Subject", Value: "Grüße"})
	require.Equal(t, source, string(b.call("GET", "/api/messages/1/raw", nil, 200)), "byte for byte")
	require.Contains(t, string(b.call("GET", "/api/messages/1/html", nil, 200)), "<p>café</p>")
	require.Contains(t, string(b.call("GET", "/", nil, 200)), "sandbox=")
	b.call("GET", "/api/messages/77", nil, 404)

	require.Len(t, read[[]Message](b, "/api/messages?to=BOB@y.example"), 1)
	require.Empty(t, read[[]Message](b, "/api/messages?to=bob"), "to is a whole address")
	require.Len(t, read[[]Message](b, "/api/messages?q=X.exa"), 2)
	require.Len(t, read[[]Message](b, "/api/messages?limit=1"), 1)
	b.call("GET", "/api/messages?wait=soon", nil, 400)

	b.call("DELETE", "/api/messages", nil, 204)
	require.Empty(t, b.mails())
	require.NoError(t, b.send("ana@x.example"))
	require.Equal(t, "3", b.mails()[0].ID, "an id never comes again")
}

func TestWaitingForMail(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	got := make(chan []Message, 1)
	go func() { got <- read[[]Message](b, "/api/messages?to=ana@x.example&min=2&wait=20s") }()
	require.NoError(t, b.send("ana@x.example"))
	require.NoError(t, b.send("eve@x.example"))
	require.NoError(t, b.send("ana@x.example"))
	require.Len(t, <-got, 2)
	require.Empty(t, read[[]Message](b, "/api/messages?to=no@x.example&min=1&wait=10ms"), "time is up: what there is")
}

func TestMailsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, dir)
	require.NoError(t, b.send("ana@x.example"))
	b.fault(Fault{At: AtAfterDot, Action: Close, Keep: new(true)})
	require.Error(t, b.send("bob@x.example"))
	before := b.mails()
	b.stop()

	again := start(t, dir)
	require.Equal(t, before, again.mails())
	require.Equal(t, source, string(again.call("GET", "/api/messages/1/raw", nil, 200)))
}

func TestATornRecordIsCutOff(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mails.log")
	for _, torn := range []string{`{"op":"mess`, `{"op":"message","id":"9","size":99}` + "\nonly half", "garbage\n"} {
		log, err := openLog(file)
		require.NoError(t, err)
		count := len(log.messages)
		_, err = log.file.WriteAt([]byte(torn), log.size)
		require.NoError(t, err)
		require.NoError(t, log.close())

		log, err = openLog(file)
		require.NoError(t, err)
		require.Len(t, log.messages, count, torn)
		info, err := log.file.Stat()
		require.NoError(t, err)
		require.Equal(t, log.size, info.Size(), "the torn end is gone from the file")
		id, err := log.keep(Message{To: []string{"a@x"}}, []byte("after"))
		require.NoError(t, err)
		_, raw, err := log.source(id)
		require.NoError(t, err)
		require.Equal(t, "after", string(raw))
		require.NoError(t, log.close())
	}
}

func TestFaultsStrikeAtEveryPoint(t *testing.T) {
	t.Parallel()
	cut := func(t *testing.T, err error) {
		t.Helper()
		var answer *smtp.SMTPError
		require.Error(t, err)
		require.False(t, errors.As(err, &answer), "no answer at all, got %v", err)
	}
	refused := func(code int) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			t.Helper()
			var answer *smtp.SMTPError
			require.ErrorAs(t, err, &answer)
			require.Equal(t, code, answer.Code)
		}
	}
	fine := func(t *testing.T, err error) { t.Helper(); require.NoError(t, err) }
	for name, c := range map[string]struct {
		fault   Fault
		outcome func(*testing.T, error)
		kept    int
		replied bool
		half    int
	}{
		"connect reply":      {fault: Fault{At: AtConnect, Action: Reply, Code: 421}, outcome: refused(421)},
		"connect close":      {fault: Fault{At: AtConnect, Action: Close}, outcome: cut},
		"mail reply":         {fault: Fault{At: AtMail, Action: Reply, Code: 451}, outcome: refused(451)},
		"rcpt reply":         {fault: Fault{At: AtRcpt, Action: Reply, Code: 550, Rcpt: "ANA@"}, outcome: refused(550)},
		"rcpt of another":    {fault: Fault{At: AtRcpt, Action: Reply, Code: 550, Rcpt: "bob@"}, outcome: fine, kept: 1, replied: true},
		"data reply":         {fault: Fault{At: AtData, Action: Reply, Code: 452, Rcpt: "ana@"}, outcome: refused(452)},
		"data close":         {fault: Fault{At: AtData, Action: Close}, outcome: cut},
		"mid_data close":     {fault: Fault{At: AtMidData, Action: Close, Bytes: 60}, outcome: cut, half: 1},
		"mid_data beyond":    {fault: Fault{At: AtMidData, Action: Close, Bytes: 1 << 20}, outcome: fine, kept: 1, replied: true},
		"after_dot lost":     {fault: Fault{At: AtAfterDot, Action: Close}, outcome: cut},
		"after_dot kept":     {fault: Fault{At: AtAfterDot, Action: Close, Keep: new(true)}, outcome: cut, kept: 1},
		"after_dot refused":  {fault: Fault{At: AtAfterDot, Action: Reply, Code: 554}, outcome: refused(554)},
		"after_dot 4xx kept": {fault: Fault{At: AtAfterDot, Action: Reply, Code: 451, Keep: new(true)}, outcome: refused(451), kept: 1},
		"after_dot 250":      {fault: Fault{At: AtAfterDot, Action: Reply, Code: 250}, outcome: fine, kept: 1, replied: true},
		"after_dot hang":     {fault: Fault{At: AtAfterDot, Action: Hang, Seconds: 0.05, Keep: new(true)}, outcome: cut, kept: 1},
		"after_dot delay":    {fault: Fault{At: AtAfterDot, Action: Delay, Seconds: 0.05}, outcome: fine, kept: 1, replied: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, t.TempDir())
			b.fault(c.fault)
			c.outcome(t, b.send("ana@x.example"))
			if c.half > 0 { // the client may see the cut before the server has logged it
				b.awaitTruncated(c.half)
			}
			kept := b.mails()
			require.Len(t, kept, c.kept)
			if c.kept > 0 {
				require.Equal(t, c.replied, kept[0].Replied)
			}
			require.Len(t, read[[]Message](b, "/api/truncated"), c.half)

			require.NoError(t, b.send("ana@x.example"), "a fault strikes once")
		})
	}
}

// awaitTruncated waits for the server's side of a cut connection.
func (b box) awaitTruncated(count int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool { return len(read[[]Message](b, "/api/truncated")) >= count },
		5*time.Second, 5*time.Millisecond)
}

func TestCutAfterTheReply(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	b.fault(Fault{At: AtAfterReply, Action: Close})
	c, err := b.dial()
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SendMail("from@s.example", []string{"ana@x.example"}, strings.NewReader(source)), "the 250 arrives")
	require.Error(t, c.Noop(), "and then nothing more")
	b.awaitReplied("ana@x.example")
}

func TestADelayedAnswerThatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	log, err := openLog(filepath.Join(t.TempDir(), "mails.log"))
	require.NoError(t, err)
	faults := &script{}
	_, err = faults.add(Fault{At: AtAfterDot, Action: Delay, Seconds: 0.2})
	require.NoError(t, err)
	l, err := listen(0)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { // the server's side of one conversation, so that its end can be awaited
		conn, err := l.Accept()
		if err == nil {
			s := &session{conn: conn, in: bufio.NewReaderSize(conn, maxLine), log: log, script: faults, now: time.Now}
			s.serve(context.Background())
		}
		ended <- err
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nhi\r\n.\r\n")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite()) // gone, but able to take a late answer
	require.NoError(t, <-ended)
	kept, _ := log.list(func(Message) bool { return true })
	require.Len(t, kept, 1)
	require.False(t, kept[0].Replied, "taken, and its sender does not know")
	require.NoError(t, conn.Close())
	require.NoError(t, errors.Join(l.Close(), log.close()))
}

func TestAClientThatDropsInMidData(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	conn, err := net.Dial("tcp", b.smtp)
	require.NoError(t, err)
	_, err = io.WriteString(conn, "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: half\r\n\r\nhal")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	b.awaitTruncated(1)
	half := read[[]Message](b, "/api/truncated")
	require.Equal(t, "half", half[0].Subject)
	require.Equal(t, len("Subject: half\r\n\r\nhal"), half[0].Size)
	require.Empty(t, b.mails())
	require.NoError(t, conn.Close())
}

func TestOnlyCRLFDotCRLFEndsAMessage(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	conn, err := net.Dial("tcp", b.smtp)
	require.NoError(t, err)
	defer conn.Close()
	smuggled := "Subject: one\r\n\r\nhi\n.\r\nMAIL FROM:<evil@x>\r\nRCPT TO:<victim@x>\r\nDATA\r\nx\r\n"
	_, err = io.WriteString(conn, "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n"+smuggled+".\r\nQUIT\r\n")
	require.NoError(t, err)
	_, err = io.ReadAll(conn)
	require.NoError(t, err)
	all := b.mails()
	require.Len(t, all, 1)
	require.Equal(t, smuggled, string(b.call("GET", "/api/messages/1/raw", nil, 200)))
}

func TestADotWithABareLineFeedEndsNothing(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	c, err := net.Dial("tcp", b.smtp)
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\none\r\n.\ntwo\r\n.\r\nQUIT\r\n")
	require.NoError(t, err)
	_, err = io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, "one\r\n\ntwo\r\n", string(b.call("GET", "/api/messages/1/raw", nil, 200)))
}

func TestAnswersInAnotherOrderKeepIdsApart(t *testing.T) {
	t.Parallel()
	log, err := openLog(filepath.Join(t.TempDir(), "mails.log"))
	require.NoError(t, err)
	seen := map[string]bool{}
	for range 2 {
		first, err := log.keep(Message{}, nil)
		require.NoError(t, err)
		second, err := log.keep(Message{}, nil)
		require.NoError(t, err)
		require.NoError(t, log.replied(second))
		require.NoError(t, log.replied(first))
		seen[first], seen[second] = true, true
	}
	require.Len(t, seen, 4)
	require.NoError(t, log.close())
}

func TestLongLinesAndStuffedDots(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	long := "Subject: long\r\n\r\n" + strings.Repeat("x", 3*maxLine) + "\r\n.\r\n..two\r\n" + strings.Repeat(".", 2*maxLine) + "\r\n"
	c, err := b.dial()
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SendMail("from@s.example", []string{"ana@x.example"}, strings.NewReader(long)))
	require.Equal(t, long, string(b.call("GET", "/api/messages/1/raw", nil, 200)))
}

func TestFaultsAreCountedAndCleared(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	b.fault(Fault{At: AtRcpt, Action: Reply, Code: 452, Times: 2})
	b.fault(Fault{At: AtMail, Action: Delay, Seconds: 0.001, Times: -1})
	for range 3 {
		_ = b.send("ana@x.example")
	}
	list := read[[]Fault](b, "/api/faults")
	require.Len(t, list, 2)
	require.Equal(t, []int{0, 2}, []int{list[0].Remaining, list[0].Hits})
	require.Equal(t, []int{-1, 3}, []int{list[1].Remaining, list[1].Hits})
	require.Equal(t, "4.0.0", list[0].Enhanced)
	require.Len(t, b.mails(), 1)
	b.call("DELETE", "/api/faults", nil, 204)
	require.Empty(t, read[[]Fault](b, "/api/faults"))
}

func TestWrongFaultsAreRefused(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	for _, f := range []map[string]any{
		{}, {"at": "data"}, {"at": "later", "action": "close"}, {"at": "connect", "action": "close", "rcpt": "x"},
		{"at": "after_reply", "action": "reply"}, {"at": "data", "action": "hang"}, {"at": "data", "action": "close", "bytes": 3},
		{"at": "data", "action": "close", "keep": true}, {"at": "data", "action": "close", "times": -2},
		{"at": "mail", "action": "reply", "code": 99}, {"at": "mail", "action": "reply", "text": "a\r\nb"},
		{"at": "mail", "action": "close", "when": "now"},
	} {
		b.call("POST", "/api/faults", f, 400)
	}
	res, err := http.Post(b.http+"/api/faults", "text/plain", strings.NewReader(`{"at":"data","action":"close"}`))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusUnsupportedMediaType, res.StatusCode)
	require.Empty(t, read[[]Fault](b, "/api/faults"))
}

func TestForeignHostNamesAreRefused(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	for host, want := range map[string]int{"evil.example": 421, "localhost:8025": 200, "127.0.0.1": 200} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", b.http+"/api/messages", nil)
		require.NoError(t, err)
		r.Host = host
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode, host)
	}
}

func TestTheProtocolIsChecked(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	conn, err := net.Dial("tcp", b.smtp)
	require.NoError(t, err)
	defer conn.Close()
	lines := "MAIL FROM:<a@x>\r\nHELO c\r\nRCPT TO:<b@x>\r\nMAIL <a@x>\r\nMAIL FROM:<>\r\nMAIL FROM:<b@x>\r\nDATA\r\nRCPT TO:<>\r\n" +
		"RSET\r\nDATA\r\nAUTH PLAIN AGEAYg==\r\nAUTH LOGIN\r\nYQ==\r\nYg==\r\nAUTH X\r\nVRFY a\r\nNOOP\r\nSTARTTLS\r\nQUIT\r\n"
	_, err = io.WriteString(conn, lines)
	require.NoError(t, err)
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	var codes []string
	for line := range strings.Lines(string(text)) {
		codes = append(codes, line[:3])
	}
	require.Equal(t, strings.Fields("220 503 250 503 501 250 503 503 501 250 503 235 334 334 235 504 252 250 502 221"), codes)
}

func FuzzTakeApart(f *testing.F) {
	f.Add([]byte(source))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n"))
	f.Add([]byte("Content-Type: text/plain; charset=nope\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := takeApart(raw)
		_, err := json.Marshal(c)
		require.NoError(t, err)
		_, _ = headline(raw)
	})
}

func FuzzConversation(f *testing.F) {
	f.Add([]byte("EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n"))
	f.Add([]byte("EHLO c\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n.\n\r\n..\r\n"))
	log, err := openLog(filepath.Join(f.TempDir(), "mails.log"))
	require.NoError(f, err)
	l, err := listen(0)
	require.NoError(f, err)
	go func() { _ = accept(context.Background(), l, log, &script{}, new(sync.WaitGroup)) }()
	f.Fuzz(func(t *testing.T, input []byte) {
		conn, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer conn.Close()
		_, _ = conn.Write(input)
		_ = conn.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(conn) // a reset is an answer as well
		if len(answer) > 0 {
			require.True(t, bytes.HasPrefix(answer, []byte("220 ")), fmt.Sprintf("%q", answer))
		}
	})
}

func TestURLOfTheInboxIsEscaped(t *testing.T) {
	t.Parallel()
	b := start(t, t.TempDir())
	require.NoError(t, b.send("ana+tag@x.example"))
	require.Len(t, read[[]Message](b, "/api/messages?to="+url.QueryEscape("ana+tag@x.example")), 1)
}

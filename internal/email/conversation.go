package email

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// conversation is one connection to the relay. It writes to the socket itself: net/textproto ends an open DATA block by
// itself when the next command is sent, and so makes a server accept half a mail.
type conversation struct {
	conn   net.Conn
	in     *bufio.Reader
	ext    map[string]string // EHLO keywords in upper case, with their parameters
	secure bool
	sent   int  // mails so far
	dirty  bool // a transaction was begun and not finished: RSET first
	broken bool // not to be used again
	reaper *time.Timer

	mu      sync.Mutex
	aborted bool
}

var (
	errAborted    = errors.New("cancelled")
	errNoStartTLS = errors.New("the server does not offer STARTTLS")
	errNoSecret   = errors.New("credentials are not sent without TLS")
	errNoAuth     = errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN")
	errRefused    = errors.New("the server refuses")
	errInjected   = errors.New("data came before the TLS handshake")
)

// deadline sets the limit of a phase. Once aborted, every limit is past.
func (c *conversation) deadline(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.aborted {
		_ = c.conn.SetDeadline(time.Now().Add(d)) // an error shows with the next read or write
	}
}

func (c *conversation) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted = true
	_ = c.conn.SetDeadline(time.Unix(1, 0))
}

// drop closes the socket and says nothing: within DATA, any further line would be taken for mail, and QUIT would wait.
func (c *conversation) drop() { _ = c.conn.Close() }

// quit is for a connection that is between mails.
func (c *conversation) quit() {
	_ = c.conn.SetDeadline(time.Now().Add(time.Second))
	_, _ = c.conn.Write([]byte("QUIT\r\n"))
	_ = c.conn.Close()
}

// command writes a line and reads the reply, within limit.
func (c *conversation) command(limit time.Duration, line string) (reply, error) {
	c.deadline(limit)
	if _, err := c.conn.Write([]byte(line + "\r\n")); err != nil {
		return reply{}, c.cause(err)
	}
	return c.read()
}

func (c *conversation) read() (reply, error) {
	r, err := readReply(c.in)
	return r, c.cause(err)
}

func (c *conversation) cause(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.aborted {
		return errAborted
	}
	return err
}

// dial connects and greets. A nil conversation comes with the delivery that says why.
func (t *Transport) dial(ctx context.Context) (*conversation, Delivery) {
	dialCtx, cancel := context.WithTimeout(ctx, t.limit.Connect)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(dialCtx, "tcp", t.relay.address)
	if err != nil {
		return nil, notSent(PhaseConnect, err)
	}
	c := &conversation{conn: conn, in: bufio.NewReader(conn)}
	stop := context.AfterFunc(ctx, c.abort)
	defer stop()
	if d := t.greet(c); d.Outcome != "" {
		c.drop()
		return nil, d
	}
	return c, Delivery{}
}

// greet takes a connection as far as the first MAIL. What goes wrong here says nothing about the mail: a 4xx is deferred, all
// else is not sent, so that a wrong password never makes a hard bounce.
func (t *Transport) greet(c *conversation) Delivery {
	if t.relay.implicit {
		if err := t.handshake(c); err != nil {
			return notSent(PhaseStartTLS, err)
		}
	}
	c.deadline(t.limit.Hello)
	r, err := c.read()
	if err != nil || r.code != 220 {
		return early(PhaseGreeting, r, err)
	}
	if d := t.sayHello(c); d.Outcome != "" {
		return d
	}
	if d := t.startTLS(c); d.Outcome != "" {
		return d
	}
	return t.authenticate(c)
}

func (t *Transport) sayHello(c *conversation) Delivery {
	r, err := c.command(t.limit.Hello, "EHLO "+t.hello)
	if err == nil && r.code/100 == 5 && r.code != 554 {
		r, err = c.command(t.limit.Hello, "HELO "+t.hello)
	}
	if err != nil || r.code != 250 {
		return early(PhaseHello, r, err)
	}
	c.ext = map[string]string{}
	for _, line := range r.lines[1:] {
		keyword, params, _ := strings.Cut(line, " ")
		c.ext[strings.ToUpper(keyword)] = strings.ToUpper(params)
	}
	return Delivery{}
}

func (t *Transport) startTLS(c *conversation) Delivery {
	if c.secure || t.relay.off {
		return Delivery{}
	}
	if _, offered := c.ext["STARTTLS"]; !offered {
		if t.relay.required {
			return notSent(PhaseStartTLS, errNoStartTLS)
		}
		return Delivery{}
	}
	r, err := c.command(t.limit.Hello, "STARTTLS")
	if err != nil || r.code != 220 {
		return early(PhaseStartTLS, r, err)
	}
	if c.in.Buffered() > 0 { // somebody put plain text behind the reply, to be read as if it came over TLS
		return notSent(PhaseStartTLS, errInjected)
	}
	if err := t.handshake(c); err != nil {
		return notSent(PhaseStartTLS, err)
	}
	return t.sayHello(c) // what was offered before TLS does not count
}

func (t *Transport) handshake(c *conversation) error {
	c.deadline(t.limit.Hello)
	secured := tls.Client(c.conn, t.relay.tls)
	if err := secured.Handshake(); err != nil { //nolint:noctx // the connection's deadline ends it, as it does every phase
		return c.cause(err)
	}
	c.mu.Lock()
	c.conn = secured
	c.mu.Unlock()
	c.in, c.secure = bufio.NewReader(secured), true
	return nil
}

func (t *Transport) authenticate(c *conversation) Delivery {
	if t.relay.user == "" {
		return Delivery{}
	}
	if !c.secure && !t.relay.loopback {
		return notSent(PhaseAuth, errNoSecret)
	}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	lines := []string{}
	switch offered := " " + c.ext["AUTH"] + " "; {
	case strings.Contains(offered, " PLAIN "):
		lines = append(lines, "AUTH PLAIN "+encode("\x00"+t.relay.user+"\x00"+t.relay.password))
	case strings.Contains(offered, " LOGIN "):
		lines = append(lines, "AUTH LOGIN", encode(t.relay.user), encode(t.relay.password))
	default:
		return notSent(PhaseAuth, errNoAuth)
	}
	for i, line := range lines {
		want := 334
		if i == len(lines)-1 {
			want = 235
		}
		if r, err := c.command(t.limit.Hello, line); err != nil || r.code != want {
			return early(PhaseAuth, r, err)
		}
	}
	return Delivery{}
}

// early is a failure before the server heard of the mail.
func early(phase string, r reply, err error) Delivery {
	if err != nil {
		return notSent(phase, err)
	}
	d := r.delivery(phase)
	if d.Outcome != OutcomeDeferred {
		d.Outcome = OutcomeNotSent
	}
	return d
}

// converse sends one mail and gives the connection back, or drops it. Stale means that a kept connection turned out dead
// with the first command: then nothing happened at all.
func (t *Transport) converse(ctx context.Context, c *conversation, e Envelope, payload []byte) (d Delivery, stale bool) {
	kept := c.sent > 0
	stop := context.AfterFunc(ctx, c.abort)
	d, heard := t.announce(c, e)
	if !stop() { // cancelled: the deadlines of this connection are past, or will be in a moment
		c.broken = true
		if d.Outcome == "" {
			d = notSent(PhaseData, errAborted)
		}
	}
	if d.Outcome == "" { // from here on ctx is ignored: a cut could leave the fate of the mail unknown
		d = t.write(c, payload)
	}
	if kept && !heard && ctx.Err() == nil {
		c.drop()
		return d, true
	}
	t.release(c)
	return d, false
}

// announce goes as far as the 354. Heard tells whether the server answered anything but "I am closing" to the first command.
func (t *Transport) announce(c *conversation, e Envelope) (d Delivery, heard bool) {
	type step struct {
		phase, line string
		want        int
	}
	steps := []step{
		{PhaseMail, "MAIL FROM:<" + e.From + ">", 250},
		{PhaseRcpt, "RCPT TO:<" + e.To + ">", 250},
		{PhaseData, "DATA", 354},
	}
	if c.dirty {
		steps = append([]step{{PhaseMail, "RSET", 250}}, steps...)
	}
	c.dirty = true
	for _, s := range steps {
		r, err := c.command(t.limit.Command, s.line)
		if err != nil {
			c.broken = true
			return notSent(s.phase, err), heard
		}
		heard = heard || r.code != 421
		if r.code == 421 {
			c.broken = true
		}
		if r.code == s.want || s.phase == PhaseRcpt && r.code == 251 {
			continue
		}
		if s.phase == PhaseData && r.code/100 < 4 { // neither 354 nor a refusal: who knows what the server waits for
			c.broken = true
		}
		return r.delivery(s.phase), heard
	}
	return Delivery{}, heard
}

const finalDot = ".\r\n"

// write sends the body, then the final dot by itself. As long as no byte of the dot has left, the server can't have the mail
// whole, whatever it does with the part: not sent. A write of the dot that fails counts as not sent only when the socket
// took none of its bytes.
func (t *Transport) write(c *conversation, payload []byte) Delivery {
	c.deadline(t.limit.Body)
	if _, err := c.conn.Write(payload); err != nil {
		c.broken = true
		return notSent(PhaseBody, err)
	}
	c.deadline(t.limit.Dot)
	if n, err := c.conn.Write([]byte(finalDot)); err != nil {
		c.broken = true
		if n == 0 && !c.secure {
			return notSent(PhaseBody, err)
		}
		return unknown(err)
	}
	r, err := c.read()
	if err != nil {
		c.broken = true
		return unknown(err)
	}
	if r.code == 421 {
		c.broken = true
	}
	switch r.code / 100 {
	case 2:
		c.dirty = false
		d := r.delivery(PhaseDot)
		d.Outcome, d.Err = OutcomeAccepted, nil
		return d
	case 4, 5:
		return r.delivery(PhaseDot)
	default: // a reply that makes no sense here tells nothing
		c.broken = true
		return unknown(errReply)
	}
}

func unknown(err error) Delivery {
	return Delivery{Outcome: OutcomeUnknown, Phase: PhaseDot, Err: fmt.Errorf("smtp %s: %w", PhaseDot, err)}
}

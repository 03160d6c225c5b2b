package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// The phases of a conversation, as Delivery.Phase names them.
const (
	PhaseConnect  = "connect"
	PhaseGreeting = "greeting"
	PhaseHello    = "hello"
	PhaseStartTLS = "starttls"
	PhaseAuth     = "auth"
	PhaseMail     = "mail"
	PhaseRcpt     = "rcpt"
	PhaseData     = "data"
	PhaseBody     = "body"
	PhaseDot      = "dot" // from the final dot on
)

// Timeouts by phase. Zero means the default, which follows RFC 5321, section 4.5.3.2, as far as a worker can wait.
type Timeouts struct {
	Connect time.Duration // 30 s
	Hello   time.Duration // 60 s for each of greeting, EHLO, STARTTLS and AUTH
	Command time.Duration // 60 s for each of MAIL, RCPT, RSET and DATA
	Body    time.Duration // 3 min
	Dot     time.Duration // 10 min: an impatient client makes duplicates
	Idle    time.Duration // 30 s that a connection may wait for the next mail
	Slow    time.Duration // 3 s, after which a conversation counts as stuck and others get its place: see Options.MaxConns
}

// Options of a transport.
type Options struct {
	// URL of the relay: smtps://user:password@host:465 (TLS from the start), smtp+starttls://host:587 (STARTTLS or nothing),
	// smtp://host:25 (STARTTLS when it is offered). A certificate is always checked, save on loopback. "?tls=off" on smtp://
	// never uses TLS. A password goes over TLS or loopback only.
	URL   string
	Hello string // the name that we greet with; default localhost
	// MaxConns conversations get on at once; default 4. One that is stuck goes on and no longer counts, so that others' mail need not wait for
	// it, until there are four times as many in all.
	MaxConns int
	// PerProvider says how many of them may be to one provider at once; nil or 0: all.
	PerProvider func(provider string) int
	MaxMails    int // per connection; default 100
	Timeouts    Timeouts
	TLS         *tls.Config // for a private certificate authority
}

// Transport hands mail to one relay over a pool of connections. Its outcomes are five, never two: see Outcome.
type Transport struct {
	relay relay
	hello string
	limit Timeouts
	mails int
	slots chan struct{} // one for each conversation that gets on
	all   chan struct{} // one for each, the stuck ones among them
	share func(provider string) int
	lanes lanes

	mu     sync.Mutex
	idle   []*conversation
	closed bool
}

// relay is what a URL says.
type relay struct {
	address            string
	host               string
	user, password     string
	implicit, required bool // TLS from the start; STARTTLS or nothing
	off, loopback      bool
	tls                *tls.Config
}

// NewTransport reads the options. It connects with the first mail.
func NewTransport(o Options) (*Transport, error) {
	r, err := parseRelay(o)
	if err != nil {
		return nil, err
	}
	t := &Transport{relay: r, hello: o.Hello, limit: o.Timeouts.orDefault(), mails: o.MaxMails}
	if t.hello == "" {
		t.hello = "localhost" // not the machine's name: it would tell strangers about our network
	}
	if !hostName(t.hello) {
		return nil, fault.New(fault.Invalid, "bad_smtp_hello", "The name in the SMTP greeting is a host name.")
	}
	if t.mails <= 0 {
		t.mails = 100
	}
	conns := o.MaxConns
	if conns <= 0 {
		conns = 4
	}
	t.slots, t.all = make(chan struct{}, conns), make(chan struct{}, stuckShare*conns)
	t.share = func(provider string) int {
		if o.PerProvider == nil {
			return conns
		}
		if n := o.PerProvider(provider); n > 0 && n < conns {
			return n
		}
		return conns
	}
	return t, nil
}

func (l Timeouts) orDefault() Timeouts {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&l.Connect, 30 * time.Second}, {&l.Hello, time.Minute}, {&l.Command, time.Minute},
		{&l.Body, 3 * time.Minute}, {&l.Dot, 10 * time.Minute}, {&l.Idle, 30 * time.Second},
		{&l.Slow, 3 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return l
}

// parseRelay never quotes the URL: it may hold a password.
func parseRelay(o Options) (relay, error) {
	bad := func(message string) (relay, error) {
		return relay{}, fault.New(fault.Invalid, "bad_smtp_url", message)
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Hostname() == "" {
		return bad("The SMTP URL looks like smtp://user:password@host:587.")
	}
	r := relay{host: u.Hostname(), off: u.Query().Get("tls") == "off"}
	port := "25"
	switch u.Scheme {
	case "smtp":
	case "smtp+starttls":
		port, r.required = "587", true
	case "smtps":
		port, r.implicit = "465", true
	default:
		return bad("The SMTP URL begins with smtp://, smtp+starttls:// or smtps://.")
	}
	if r.off && (r.required || r.implicit) {
		return bad("tls=off goes with smtp:// only.")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	r.address = net.JoinHostPort(r.host, port)
	r.user = u.User.Username()
	r.password, _ = u.User.Password()
	ip, err := netip.ParseAddr(r.host)
	r.loopback = r.host == "localhost" || err == nil && ip.Unmap().IsLoopback()
	r.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		r.tls = o.TLS.Clone()
	}
	if r.tls.ServerName == "" {
		r.tls.ServerName = r.host
	}
	if r.loopback && o.TLS == nil {
		r.tls.InsecureSkipVerify = true //nolint:gosec // nobody sits between us and ourselves; catchers sign their own certificate
	}
	return r, nil
}

var (
	errTransportClosed = errors.New("the transport is closed")
	errEnvelope        = errors.New("the envelope is not valid")
)

// Send hands one mail over. It never panics nor blocks forever: each phase has its own limit. When ctx ends before the body,
// the outcome is not_sent; from the body on ctx is ignored, for a conversation that is cut there may end as unknown.
//
// The outcome is not_sent, deferred or rejected unless the final dot may have been written: then it is what the server
// replied, and unknown without a reply.
func (t *Transport) Send(ctx context.Context, e Envelope) Delivery {
	e, err := checkEnvelope(e)
	if err != nil {
		return notSent(PhaseConnect, err)
	}
	leave, err := t.enter(ctx, ProviderOf(e.To))
	if err != nil {
		return notSent(PhaseConnect, err)
	}
	defer leave()
	payload := dotStuff(e.Bytes)
	c, err := t.takeIdle()
	if err != nil {
		return notSent(PhaseConnect, err)
	}
	if c != nil {
		d, stale := t.converse(ctx, c, e, payload)
		if !stale {
			return d
		}
		// The server hung up on an idle connection, as it may. It saw nothing of this mail.
	}
	c, d := t.dial(ctx)
	if c == nil {
		return d
	}
	d, _ = t.converse(ctx, c, e, payload)
	return d
}

// checkEnvelope keeps line breaks and blanks out of commands, and writes domains in ASCII.
func checkEnvelope(e Envelope) (Envelope, error) {
	if len(e.Bytes) == 0 {
		return e, fmt.Errorf("%w: no bytes", errEnvelope)
	}
	var err error
	if e.To, err = ParseAddress(e.To); err != nil {
		return e, fmt.Errorf("%w: recipient", errEnvelope)
	}
	if e.From == "" { // the null sender
		return e, nil
	}
	if e.From, err = ParseAddress(e.From); err != nil {
		return e, fmt.Errorf("%w: sender", errEnvelope)
	}
	return e, nil
}

// Close hangs up on idle connections. Conversations that go on end by themselves, under their own limits.
func (t *Transport) Close() {
	t.mu.Lock()
	idle := t.idle
	t.idle, t.closed = nil, true
	t.mu.Unlock()
	for _, c := range idle {
		c.quit()
	}
}

func notSent(phase string, err error) Delivery {
	return Delivery{Outcome: OutcomeNotSent, Phase: phase, Err: fmt.Errorf("smtp %s: %w", phase, err)}
}

// dotStuff makes the payload of DATA without its final dot: lines end in CRLF (a bare CR or LF smuggles commands past lenient
// servers), a dot that starts a line is doubled.
func dotStuff(message []byte) []byte {
	var b strings.Builder
	b.Grow(len(message) + 64)
	start := true
	for i := 0; i < len(message); i++ {
		c := message[i]
		if c == '\r' || c == '\n' {
			if c == '\r' && i+1 < len(message) && message[i+1] == '\n' {
				i++
			}
			b.WriteString("\r\n")
			start = true
			continue
		}
		if c == '.' && start {
			b.WriteByte('.')
		}
		b.WriteByte(c)
		start = false
	}
	if !start {
		b.WriteString("\r\n")
	}
	return []byte(b.String())
}

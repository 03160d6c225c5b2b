package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

const (
	defaultConnect     = 10 * time.Second
	defaultTotal       = 15 * time.Second
	defaultMaxResponse = 64 << 10
)

// Options of the guarded client. The zero value reaches public addresses over https (port 443) and nothing else.
type Options struct {
	AllowPrivate []netip.Prefix // private networks that may be reached, on any port: loopback in development, a partner on the premises
	AllowHTTP    bool           // plain http to public addresses, port 80
	Timeout      time.Duration  // of a call, from start to the end of the body; default 15 s
	MaxResponse  int64          // bytes of a body; default 64 KB
}

var (
	errScheme   = errors.New("only https is allowed")
	errUserinfo = errors.New("credentials in an address are not allowed")
	// ErrResponseTooLarge ends the reading of a body that is too large.
	ErrResponseTooLarge = errors.New("the response is too large")
)

// NewClient makes a client for addresses that users chose. It looks at the resolved address when it dials, so that a name that
// points to our own network, at any time, leads nowhere. It uses no proxy and follows no redirect.
func NewClient(o Options) *http.Client { return newClient(o, "") }

// newClient trusts one more host:port, which the operator set.
func newClient(o Options, trusted string) *http.Client {
	if o.Timeout <= 0 {
		o.Timeout = defaultTotal
	}
	if o.MaxResponse <= 0 {
		o.MaxResponse = defaultMaxResponse
	}
	guarded := &net.Dialer{Timeout: defaultConnect, Control: o.control()}
	free := &net.Dialer{Timeout: defaultConnect}
	transport := &http.Transport{
		Proxy: nil, // a proxy would resolve names where the guard can't see it
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if trusted != "" && strings.EqualFold(address, trusted) {
				return free.DialContext(ctx, network, address)
			}
			return guarded.DialContext(ctx, network, address)
		},
		ForceAttemptHTTP2: true, MaxIdleConns: 50, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second,
		TLSHandshakeTimeout: defaultConnect, ResponseHeaderTimeout: o.Timeout, MaxResponseHeaderBytes: 64 << 10,
	}
	return &http.Client{
		Transport:     &guard{next: transport, max: o.MaxResponse},
		Timeout:       o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// control decides on a resolved address. Port 80 answers plain http only, so the port is what keeps http out.
func (o Options) control() func(network, address string, c syscall.RawConn) error {
	ports := []uint16{443}
	if o.AllowHTTP {
		ports = append(ports, 80)
	}
	public := ssrf.New(ssrf.WithPorts(ports...))
	return func(network, address string, c syscall.RawConn) error {
		if target, err := netip.ParseAddrPort(address); err == nil {
			for _, prefix := range o.AllowPrivate {
				if prefix.Contains(target.Addr().Unmap()) {
					return nil
				}
			}
		}
		return public.Safe(network, address, c)
	}
}

// guard refuses strange addresses and cuts bodies.
type guard struct {
	next *http.Transport
	max  int64
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && r.URL.Scheme != "http" {
		return nil, errScheme
	}
	if r.URL.User != nil {
		return nil, errUserinfo
	}
	resp, err := g.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &cappedBody{ReadCloser: resp.Body, left: g.max}
	return resp, nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (g *guard) CloseIdleConnections() { g.next.CloseIdleConnections() }

type cappedBody struct {
	io.ReadCloser
	left int64
}

func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrResponseTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n + int(b.left), ErrResponseTooLarge
	}
	return n, err
}

// withoutURL takes the address off an error: webhook addresses hold secrets, and errors are logged.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("%s: %w", strings.ToLower(u.Op), u.Err)
	}
	return err
}

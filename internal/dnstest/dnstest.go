// Package dnstest is a DNS server for tests: real packets on loopback, by UDP and TCP, with the answers that a test gives it, also bad ones.
package dnstest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
)

const (
	ttl    = 60
	maxUDP = 512 // what is longer is cut off and asked for again by TCP
)

// Server answers questions about the names that it was told.
type Server struct {
	Address string

	mu    sync.Mutex
	zones map[string]*zone
	asked map[string]int
}

// zone is what is known of a name.
type zone struct {
	code    dnsmessage.RCode
	hang    bool
	failMX  bool
	records []dnsmessage.Resource
}

// New starts a server that ends with the test.
func New(t *testing.T) *Server {
	t.Helper()
	packets, listener := listen(t)
	s := &Server{Address: packets.LocalAddr().String(), zones: map[string]*zone{}, asked: map[string]int{}}
	var serving sync.WaitGroup
	serving.Go(func() { s.packets(packets) })
	serving.Go(func() { s.connections(listener) })
	t.Cleanup(func() {
		_ = packets.Close()
		_ = listener.Close()
		serving.Wait()
	})
	return s
}

// listen takes a port that is free for both protocols: one that is free for UDP may be somebody else's for TCP.
func listen(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	var last error
	for range 20 {
		packets, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
		require.NoError(t, err)
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, listener
		}
		last = err
		_ = packets.Close()
	}
	require.NoError(t, last)
	return nil, nil
}

// Resolver asks this server alone.
func (s *Server) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Address)
	}}
}

// Asked is how often a name was asked for.
func (s *Server) Asked(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[fqdn(name)]
}

// MX gives a name mail servers, in the order of preference; "." alone is a null MX.
func (s *Server) MX(name string, hosts ...string) {
	for i, host := range hosts {
		s.add(name, dnsmessage.TypeMX, &dnsmessage.MXResource{Pref: uint16(i), MX: dnsmessage.MustNewName(fqdn(host))}) //nolint:gosec // a few
	}
}

// Addr gives a name addresses of either kind.
func (s *Server) Addr(name string, addresses ...string) {
	for _, text := range addresses {
		if a := netip.MustParseAddr(text); a.Is4() {
			s.add(name, dnsmessage.TypeA, &dnsmessage.AResource{A: a.As4()})
		} else {
			s.add(name, dnsmessage.TypeAAAA, &dnsmessage.AAAAResource{AAAA: a.As16()})
		}
	}
}

// TXT gives a name texts, one record each; long ones are cut into strings as DNS has them.
func (s *Server) TXT(name string, texts ...string) {
	for _, text := range texts {
		var parts []string
		for len(text) > 255 {
			parts, text = append(parts, text[:255]), text[255:]
		}
		s.add(name, dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: append(parts, text)})
	}
}

// PTR gives an address names.
func (s *Server) PTR(address string, hosts ...string) {
	octets := netip.MustParseAddr(address).As4()
	name := net.IPv4(octets[3], octets[2], octets[1], octets[0]).String() + ".in-addr.arpa"
	for _, host := range hosts {
		s.add(name, dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(fqdn(host))})
	}
}

// Fail answers SERVFAIL for a name.
func (s *Server) Fail(name string) {
	s.zone(name, func(z *zone) { z.code = dnsmessage.RCodeServerFailure })
}

// FailMX answers SERVFAIL when it is asked for the mail servers of a name, and knows of no other record.
func (s *Server) FailMX(name string) { s.zone(name, func(z *zone) { z.failMX = true }) }

// Hang never answers for a name.
func (s *Server) Hang(name string) { s.zone(name, func(z *zone) { z.hang = true }) }

// Empty lets a name exist without any record.
func (s *Server) Empty(name string) { s.zone(name, func(*zone) {}) }

// Forget makes a name one that does not exist.
func (s *Server) Forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.zones, fqdn(name))
}

func (s *Server) add(name string, kind dnsmessage.Type, body dnsmessage.ResourceBody) {
	header := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(fqdn(name)), Type: kind, Class: dnsmessage.ClassINET, TTL: ttl}
	s.zone(name, func(z *zone) { z.records = append(z.records, dnsmessage.Resource{Header: header, Body: body}) })
}

func (s *Server) zone(name string, change func(*zone)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z, there := s.zones[fqdn(name)]
	if !there {
		z = &zone{}
		s.zones[fqdn(name)] = z
	}
	change(z)
}

func (s *Server) packets(conn net.PacketConn) {
	buf := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := s.answer(buf[:n], maxUDP); answer != nil {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

func (s *Server) connections(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go s.connection(conn)
	}
}

func (s *Server) connection(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // a test's server
	for {
		var size uint16
		if binary.Read(conn, binary.BigEndian, &size) != nil {
			return
		}
		question := make([]byte, size)
		if _, err := io.ReadFull(conn, question); err != nil {
			return
		}
		answer := s.answer(question, 1<<16-1)
		if answer == nil {
			return
		}
		framed := binary.BigEndian.AppendUint16(nil, uint16(len(answer))) //nolint:gosec // bounded above
		if _, err := conn.Write(append(framed, answer...)); err != nil {
			return
		}
	}
}

// answer is nil for a question that nobody answers.
func (s *Server) answer(question []byte, limit int) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := strings.ToLower(q.Name.String())
	s.mu.Lock()
	s.asked[name]++
	z, there := s.zones[name]
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionDesired: true, RecursionAvailable: true}, Questions: m.Questions}
	switch {
	case !there:
		reply.RCode = dnsmessage.RCodeNameError
	case z.hang:
		s.mu.Unlock()
		return nil
	default:
		reply.RCode = z.code
		if z.failMX && q.Type == dnsmessage.TypeMX {
			reply.RCode = dnsmessage.RCodeServerFailure
		}
		for _, record := range z.records {
			if record.Header.Type == q.Type {
				reply.Answers = append(reply.Answers, record)
			}
		}
	}
	s.mu.Unlock()
	packed, err := reply.Pack()
	if err == nil && len(packed) > limit {
		reply.Answers, reply.Truncated = nil, true
		packed, err = reply.Pack()
	}
	if err != nil {
		return nil
	}
	return packed
}

func fqdn(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) + "." }

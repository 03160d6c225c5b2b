package email_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// script says what a test's SMTP server does wrong, and in which phase: greeting, ehlo, starttls, auth, mail, rcpt, data,
// body or dot. The server speaks over a real socket.
type script struct {
	phase string
	do    string // cut: hang up instead of the reply; half: after half of it; after: behind it; hang; or the reply to give
	bytes int    // of the body, before phase body is cut
	turn  int    // the mail of the connection that it happens to, from 0
	once  bool   // on the first connection only
	to    string // to recipients whose address has this alone

	extensions []string
	tls        *tls.Config
	implicit   bool
}

// smtpServer records what it saw.
type smtpServer struct {
	listener net.Listener
	script   script
	quit     chan struct{}
	running  sync.WaitGroup

	mu       sync.Mutex
	resume   chan struct{} // ends a stall
	onDot    func()        // before the reply to the final dot
	conns    int
	busy     int // bodies that are being read
	open     map[net.Conn]bool
	mails    []string // complete ones: the final dot was seen
	partial  []string // what was cut
	commands []string
}

func newSMTPServer(t testing.TB, s script) *smtpServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &smtpServer{listener: listener, script: s, quit: make(chan struct{}), resume: make(chan struct{}), open: map[net.Conn]bool{}}
	server.running.Go(server.accept)
	t.Cleanup(server.close)
	return server
}

func (s *smtpServer) url(scheme string) string { return scheme + "://" + s.listener.Addr().String() }

func (s *smtpServer) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	select {
	case <-s.quit:
	default:
		close(s.quit)
	}
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// hangUp closes all connections, as a relay does that restarts.
func (s *smtpServer) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.Close()
	}
}

func (s *smtpServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[conn] = true
		n := s.conns
		s.conns++
		s.mu.Unlock()
		s.running.Go(func() {
			defer func() {
				_ = conn.Close()
				s.mu.Lock()
				delete(s.open, conn)
				s.mu.Unlock()
			}()
			session := &smtpSession{server: s, conn: conn, script: s.script}
			if s.script.once && n > 0 {
				session.script.phase = ""
			}
			session.run()
		})
	}
}

func (s *smtpServer) seen() (mails, partial []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...), append([]string(nil), s.partial...)
}

func (s *smtpServer) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// settled tells whether no session reads a body: what was on the wire has been looked at.
func (s *smtpServer) settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy == 0
}

func (s *smtpServer) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

type smtpSession struct {
	server *smtpServer
	conn   net.Conn
	in     *bufio.Reader
	script script
	mails  int
	secure bool
}

// reply gives the reply of a phase, or what the script says instead. False ends the session.
func (x *smtpSession) reply(phase, normal string) bool {
	if x.script.phase != phase || x.script.turn != x.mails {
		return x.write(normal)
	}
	switch x.script.do {
	case "cut":
		return false
	case "half":
		x.write(normal[:len(normal)/2])
		return false
	case "after":
		x.write(normal)
		return false
	case "hang":
		<-x.server.quit
		return false
	default:
		return x.write(x.script.do + "\r\n")
	}
}

func (x *smtpSession) write(s string) bool {
	_, err := x.conn.Write([]byte(s))
	return err == nil
}

func (x *smtpSession) run() {
	if x.script.implicit {
		x.conn, x.secure = tls.Server(x.conn, x.script.tls), true
	}
	x.in = bufio.NewReader(x.conn)
	if !x.reply("greeting", "220 test ESMTP\r\n") {
		return
	}
	for {
		line, err := x.in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		x.server.mu.Lock()
		x.server.commands = append(x.server.commands, line)
		x.server.mu.Unlock()
		if !x.command(line) {
			return
		}
	}
}

func (x *smtpSession) command(line string) bool {
	verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
	switch verb {
	case "EHLO":
		return x.reply("ehlo", x.extensions())
	case "HELO":
		return x.write("250 test\r\n")
	case "STARTTLS":
		if !x.reply("starttls", "220 go\r\n") {
			return false
		}
		x.conn, x.secure = tls.Server(x.conn, x.script.tls), true
		x.in = bufio.NewReader(x.conn)
		return true
	case "AUTH":
		return x.reply("auth", "235 2.7.0 in\r\n")
	case "MAIL":
		return x.reply("mail", "250 2.1.0 ok\r\n")
	case "RCPT":
		if !strings.Contains(line, x.script.to) {
			return x.write("250 2.1.5 ok\r\n")
		}
		return x.reply("rcpt", "250 2.1.5 ok\r\n")
	case "RSET":
		return x.reply("rset", "250 ok\r\n")
	case "DATA":
		if !x.reply("data", "354 go\r\n") {
			return false
		}
		if x.script.phase == "data" && x.script.turn == x.mails {
			return true // refused: no body follows
		}
		return x.body()
	case "QUIT":
		x.write("221 bye\r\n")
		return false
	default:
		return x.write("502 no\r\n")
	}
}

func (x *smtpSession) extensions() string {
	all := append([]string{"test"}, x.script.extensions...)
	if x.script.tls != nil && !x.secure {
		all = append(all, "STARTTLS")
	}
	var b strings.Builder
	for i, e := range all {
		b.WriteString("250")
		b.WriteString(map[bool]string{true: " ", false: "-"}[i == len(all)-1])
		b.WriteString(e + "\r\n")
	}
	return b.String()
}

func (x *smtpSession) body() bool {
	x.busy(1)
	defer x.busy(-1)
	var body []byte
	cut := x.script.phase == "body" && x.script.turn == x.mails
	if cut && x.script.do == "hang" {
		<-x.server.quit
		return false
	}
	if cut && x.script.do == "stall" { // and then read all that came
		<-x.server.resume
		cut = false
	}
	for !bytes.HasSuffix(body, []byte("\r\n.\r\n")) && (len(body) != 3 || body[0] != 0x2e) {
		if cut && len(body) >= x.script.bytes {
			x.note(&x.server.partial, body)
			return false
		}
		part, err := x.take(cut)
		body = append(body, part...)
		if err != nil {
			x.note(&x.server.partial, body)
			return false
		}
	}
	x.note(&x.server.mails, bytes.TrimSuffix(body, []byte(".\r\n")))
	if x.server.onDot != nil {
		x.server.onDot()
	}
	ok := x.reply("dot", "250 2.0.0 queued as 42\r\n")
	x.mails++
	return ok
}

// take reads a line, or a single byte where the cut has to be exact.
func (x *smtpSession) take(single bool) ([]byte, error) {
	if !single {
		return x.in.ReadBytes('\n')
	}
	c, err := x.in.ReadByte()
	if err != nil {
		return nil, err
	}
	return []byte{c}, nil
}

func (x *smtpSession) busy(n int) {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	x.server.busy += n
}

func (x *smtpSession) note(list *[]string, body []byte) {
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	*list = append(*list, string(body))
}

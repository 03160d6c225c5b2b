package inbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

const (
	maxLine    = 4 << 10
	maxMessage = 32 << 20
	// idle is how long a silent client is kept: RFC 5321 asks a server for five minutes.
	idle = 5 * time.Minute
)

// session is one SMTP conversation.
//
// The wire is spoken by hand and not by a library: a fault script has to act between the bytes (the answer to DATA, the
// middle of a message, the moment after the final dot), where no library lets one in.
type session struct {
	conn   net.Conn
	in     *bufio.Reader
	log    *mailLog
	script *script
	now    func() time.Time

	greeted bool
	from    string
	hasFrom bool
	to      []string
}

// errEnd ends a conversation without a word about it.
var errEnd = errors.New("conversation ended")

// serve holds the conversation until it ends. ctx ends it as well: the caller closes the connection then.
func (s *session) serve(ctx context.Context) {
	defer s.conn.Close()
	if done, err := s.fault(ctx, AtConnect, nil); done || err != nil {
		return // a greeting that is not 220 ends the conversation
	}
	if err := s.reply(220, "", "devstack inbox ESMTP"); err != nil {
		return
	}
	for {
		line, err := s.readLine()
		if errors.Is(err, bufio.ErrBufferFull) {
			_ = s.reply(500, "5.5.2", "line too long")
			return
		}
		if err != nil {
			return
		}
		if err := s.command(ctx, line); err != nil {
			return
		}
	}
}

func (s *session) command(ctx context.Context, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "HELO":
		s.greeted = true
		s.reset()
		return s.reply(250, "", "devstack inbox")
	case "EHLO":
		s.greeted = true
		s.reset()
		return s.ehlo()
	case "MAIL":
		return s.mail(ctx, rest)
	case "RCPT":
		return s.rcpt(ctx, rest)
	case "DATA":
		return s.data(ctx)
	case "RSET":
		s.reset()
		return s.reply(250, "2.0.0", "reset")
	case "NOOP":
		return s.reply(250, "2.0.0", "ok")
	case "VRFY":
		return s.reply(252, "2.1.5", "send some mail, it will be kept")
	case "AUTH":
		return s.auth(rest)
	case "QUIT":
		_ = s.reply(221, "2.0.0", "bye")
		return errEnd
	default:
		return s.reply(502, "5.5.1", "not a command of this server")
	}
}

func (s *session) reset() { s.from, s.hasFrom, s.to = "", false, nil }

func (s *session) ehlo() error {
	lines := []string{
		"devstack inbox", "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES",
		"AUTH PLAIN LOGIN", fmt.Sprintf("SIZE %d", maxMessage),
	}
	var text strings.Builder
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		text.WriteString("250" + sep + l + "\r\n")
	}
	return s.write(text.String())
}

func (s *session) mail(ctx context.Context, rest string) error {
	if !s.greeted {
		return s.reply(503, "5.5.1", "say EHLO first")
	}
	from, ok := path(rest, "FROM:")
	if !ok {
		return s.reply(501, "5.5.4", "MAIL FROM:<address>")
	}
	if s.hasFrom {
		return s.reply(503, "5.5.1", "one mail at a time")
	}
	if done, err := s.fault(ctx, AtMail, nil); done || err != nil {
		return err
	}
	s.from, s.hasFrom = from, true
	return s.reply(250, "2.1.0", "ok")
}

func (s *session) rcpt(ctx context.Context, rest string) error {
	to, ok := path(rest, "TO:")
	if !ok || to == "" {
		return s.reply(501, "5.5.4", "RCPT TO:<address>")
	}
	if !s.hasFrom {
		return s.reply(503, "5.5.1", "say MAIL first")
	}
	if done, err := s.fault(ctx, AtRcpt, []string{to}); done || err != nil {
		return err
	}
	s.to = append(s.to, to)
	return s.reply(250, "2.1.5", "ok")
}

// auth accepts everybody: what is tested here is that a client authenticates, never who it is.
func (s *session) auth(rest string) error {
	mechanism, initial, _ := strings.Cut(rest, " ")
	var prompts int
	switch strings.ToUpper(mechanism) {
	case "PLAIN":
		prompts = 1
	case "LOGIN":
		prompts = 2
	default:
		return s.reply(504, "5.5.4", "PLAIN or LOGIN")
	}
	if initial != "" {
		prompts--
	}
	for range prompts {
		if err := s.write("334 \r\n"); err != nil {
			return err
		}
		if _, err := s.readLine(); err != nil {
			return err
		}
	}
	return s.reply(235, "2.7.0", "welcome")
}

func (s *session) data(ctx context.Context) error {
	if len(s.to) == 0 {
		return s.reply(503, "5.5.1", "say RCPT first")
	}
	if done, err := s.fault(ctx, AtData, s.to); done || err != nil {
		return err
	}
	if err := s.reply(354, "", "end with a dot on a line by itself"); err != nil {
		return err
	}
	source, err := s.readMessage(ctx)
	if errors.Is(err, errTooBig) {
		s.reset()
		return s.reply(552, "5.3.4", "message too big")
	}
	if err != nil {
		// Never counted as received, and never forgotten: a test has to be able to tell "nothing came" from "half came".
		return errors.Join(err, s.log.cut(s.envelope(source), source))
	}
	return s.accept(ctx, source)
}

// accept stores the whole message and answers, with the faults that belong around the answer.
func (s *session) accept(ctx context.Context, source []byte) error {
	rcpts, m := s.to, s.envelope(source)
	s.reset()
	fault, struck := s.script.strike(AtAfterDot, rcpts)
	id := ""
	if !struck || fault.keeps() {
		var err error
		if id, err = s.log.keep(m, source); err != nil {
			return errors.Join(err, s.reply(451, "4.3.0", "the inbox can't write its log"))
		}
	}
	if struck {
		if done, err := s.perform(ctx, fault); done || err != nil {
			if fault.Action == Reply && fault.Code < 300 && err == nil {
				return s.log.replied(id)
			}
			return err
		}
		if s.peerGone() {
			return errEnd // its 250 would go nowhere
		}
	}
	if err := s.reply(250, "2.0.0", "kept as "+id); err != nil {
		return err
	}
	if err := s.log.replied(id); err != nil {
		return err
	}
	_, err := s.fault(ctx, AtAfterReply, rcpts)
	return err
}

func (s *session) envelope(source []byte) Message {
	subject, messageID := headline(source)
	return Message{From: s.from, To: s.to, Subject: subject, MessageID: messageID, ReceivedAt: s.now().UTC()}
}

// path reads <address> after FROM: or TO:; parameters behind it are accepted as they are.
func path(rest, prefix string) (string, bool) {
	if len(rest) < len(prefix) || !strings.EqualFold(rest[:len(prefix)], prefix) {
		return "", false
	}
	rest = strings.TrimSpace(rest[len(prefix):])
	if !strings.HasPrefix(rest, "<") {
		return "", false
	}
	address, _, ok := strings.Cut(rest[1:], ">")
	return address, ok
}

func (s *session) readLine() (string, error) {
	if err := s.conn.SetReadDeadline(s.now().Add(idle)); err != nil {
		return "", err
	}
	line, err := s.in.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

var errTooBig = errors.New("message too big")

// readMessage reads up to the line with the dot and returns what came, also with an error. Only CRLF . CRLF ends a
// message: a bare line feed before the dot must not, or one mail could smuggle another in.
func (s *session) readMessage(ctx context.Context) ([]byte, error) {
	var source []byte
	read, lineStart, tooBig := 0, true, false
	for {
		if fault, ok := s.script.peek(AtMidData, s.to); ok && read >= fault.Bytes {
			fault, _ = s.script.strike(AtMidData, s.to)
			if done, err := s.perform(ctx, fault); done || err != nil {
				return source, errors.Join(errEnd, err) // an answer in mid data ends the conversation too
			}
		}
		if err := s.conn.SetReadDeadline(s.now().Add(idle)); err != nil {
			return source, err
		}
		line, err := s.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return append(source, line...), err
		}
		read += len(line)
		if lineStart && string(line) == ".\r\n" {
			if tooBig {
				return nil, errTooBig
			}
			return source, nil
		}
		if lineStart && line[0] == '.' {
			line = line[1:]
		}
		lineStart = strings.HasSuffix(string(line), "\r\n")
		if tooBig = tooBig || len(source)+len(line) > maxMessage; !tooBig {
			source = append(source, line...)
		}
	}
}

func (s *session) reply(code int, enhanced, text string) error {
	if enhanced != "" {
		text = enhanced + " " + text
	}
	return s.write(fmt.Sprintf("%d %s\r\n", code, text))
}

func (s *session) write(text string) error {
	if err := s.conn.SetWriteDeadline(s.now().Add(time.Minute)); err != nil {
		return err
	}
	_, err := io.WriteString(s.conn, text)
	return err
}

// peerGone looks whether the client has hung up, without taking anything it said.
func (s *session) peerGone() bool {
	if err := s.conn.SetReadDeadline(s.now().Add(5 * time.Millisecond)); err != nil {
		return true
	}
	_, err := s.in.Peek(1)
	var timeout net.Error
	quiet := errors.As(err, &timeout) && timeout.Timeout()
	return err != nil && !quiet
}

// fault performs the fault that is scripted for this point, if any. done means that the point is answered.
func (s *session) fault(ctx context.Context, at At, rcpts []string) (done bool, err error) {
	f, ok := s.script.strike(at, rcpts)
	if !ok {
		return false, nil
	}
	return s.perform(ctx, f)
}

func (s *session) perform(ctx context.Context, f Fault) (done bool, err error) {
	switch f.Action {
	case Reply:
		if err := s.reply(f.Code, f.Enhanced, f.Text); err != nil {
			return true, err
		}
		if f.Code == 421 {
			return true, errEnd
		}
		return true, nil
	case Hang:
		s.wait(ctx, f.pause())
		return true, errEnd
	case Delay:
		s.wait(ctx, f.pause())
		return false, nil
	default: // Close; after a reply in good order, so that the reply arrives, else with a reset
		if tcp, ok := s.conn.(*net.TCPConn); ok && f.At != AtAfterReply {
			_ = tcp.SetLinger(0)
		}
		return true, errEnd
	}
}

func (s *session) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

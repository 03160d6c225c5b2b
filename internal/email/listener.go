package email

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/netutil"
)

// The limits of the listener: notifications are small, and come one by one.
const (
	maxReturned        = 1 << 20
	maxReturnedTo      = 10
	maxReturnedSenders = 50
	returnedTimeout    = time.Minute
	takeTimeout        = 20 * time.Second
)

// Listener takes in the mail that comes back: delivery status notifications and complaints for bounce addresses, over SMTP or LMTP.
type Listener struct {
	Addresses BounceAddresses
	// Take keeps a report and does what it demands; 250 is answered when it has returned nil.
	Take func(ctx context.Context, reports []Report) error
	LMTP bool
	Now  func() time.Time
	Log  *slog.Logger
}

// Serve takes mail until the context ends. Conversations that go on then are cut: who has had no 250 comes again.
func (l *Listener) Serve(ctx context.Context, listener net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &returning{listener: l, ctx: ctx}, nil }))
	server.Domain, server.LMTP = l.Addresses.domain, l.LMTP
	server.MaxMessageBytes, server.MaxRecipients, server.MaxLineLength = maxReturned, maxReturnedTo, 4096
	server.ReadTimeout, server.WriteTimeout = returnedTimeout, returnedTimeout
	server.ErrorLog = smtpLog{l.Log}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	err := server.Serve(netutil.LimitListener(listener, maxReturnedSenders))
	if ctx.Err() != nil || errors.Is(err, smtp.ErrServerClosed) {
		return nil
	}
	return err
}

// smtpLog keeps what strangers say out of the log.
type smtpLog struct{ log *slog.Logger }

func (l smtpLog) Printf(string, ...any) { l.log.Debug("a sender broke off") }
func (l smtpLog) Println(...any)        { l.log.Debug("a sender broke off") }

// returning is one conversation.
type returning struct {
	listener *Listener
	ctx      context.Context //nolint:containedctx // the library's sessions are given none
	to       []string        // the messages that the recipients named
}

func (s *returning) Mail(string, *smtp.MailOptions) error { return nil }
func (s *returning) Reset()                               { s.to = nil }
func (s *returning) Logout() error                        { return nil }

func (s *returning) Rcpt(to string, _ *smtp.RcptOptions) error {
	id, ours := s.listener.Addresses.Takes(to)
	if !ours {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such address here"}
	}
	s.to = append(s.to, id)
	return nil
}

// Data answers 250 only when all is committed, or when there was nothing to keep.
func (s *returning) Data(in io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(in); err != nil {
		return err // the library's own word: too large, or broken off
	}
	var reports []Report
	for _, to := range s.to {
		if r, ok := s.listener.Addresses.ReadReturned(raw.Bytes(), to, s.listener.Now()); ok {
			r.Key += "/" + r.MessageID
			reports = append(reports, r)
		}
	}
	if len(reports) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, takeTimeout)
	defer cancel()
	if err := s.listener.Take(ctx, reports); err != nil {
		s.listener.Log.Error("returned mail could not be kept", "error", err.Error())
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Try again later"}
	}
	return nil
}

// Package inbox is an SMTP server that keeps every mail it is given, shows them on a small page, and fails on demand: a
// fault script says at which point of the conversation, how, and how often.
//
// It may import proc, the MIME parser go-message and the standard library; it knows nothing of the product.
package inbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"throughline.dev/throughline/devstack/internal/proc"
)

// Options say where the inbox lives; both ports are on the loopback interface.
type Options struct {
	Dir      string
	SMTPPort int
	HTTPPort int
}

// Run serves until ctx ends. ready is called once both ports listen.
func Run(ctx context.Context, o Options, ready func()) error {
	lock, err := proc.TakeOver(ctx, filepath.Join(o.Dir, "inbox.lock"), 5*time.Second)
	if err != nil {
		return fmt.Errorf("lock the inbox folder: %w", err)
	}
	defer func() { _ = lock.Release() }()
	log, err := openLog(filepath.Join(o.Dir, "mails.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.close() }()
	smtp, err := listen(o.SMTPPort)
	if err != nil {
		return fmt.Errorf("listen for mail: %w", err)
	}
	defer smtp.Close()
	page, err := listen(o.HTTPPort)
	if err != nil {
		return fmt.Errorf("listen for the page: %w", err)
	}
	return run(ctx, log, smtp, page, ready)
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

func run(ctx context.Context, log *mailLog, smtp, page net.Listener, ready func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	faults := &script{}
	web := &http.Server{
		Handler:           handler(log, faults),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	failed := make(chan error, 2)
	var conversations sync.WaitGroup
	go func() { failed <- accept(ctx, smtp, log, faults, &conversations) }()
	go func() { failed <- web.Serve(page) }()
	ready()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	closeErr := errors.Join(web.Close(), smtp.Close())
	conversations.Wait()
	if err == nil {
		return nil // asked to stop: an already closed listener is no news
	}
	return errors.Join(err, closeErr)
}

func accept(ctx context.Context, l net.Listener, log *mailLog, faults *script, conversations *sync.WaitGroup) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return fmt.Errorf("accept mail: %w", err)
		}
		s := &session{conn: conn, in: bufio.NewReaderSize(conn, maxLine), log: log, script: faults, now: time.Now}
		conversations.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			s.serve(ctx)
		})
	}
}

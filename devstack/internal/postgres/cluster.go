// Package postgres runs a private PostgreSQL cluster from the programs that this machine has.
//
// It may import proc, pgx and the standard library; it knows nothing of the product's schema.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/devstack/internal/proc"
)

// Options say where the cluster lives.
type Options struct {
	Dir  string
	Port int
	// ThrowAway trades durability for speed: nothing is flushed to disk.
	ThrowAway bool
}

const (
	role     = "throughline"
	database = "throughline"

	takeOverPatience = 20 * time.Second
	startPatience    = 60 * time.Second
	// Fast shutdown rolls open transactions back and writes a checkpoint; a slow disk may need a while.
	stopPatience = 30 * time.Second
)

// Run starts the cluster, calls ready with its address and blocks until ctx ends (then it stops the cluster) or the
// cluster dies.
func Run(ctx context.Context, o Options, ready func()) error {
	lock, err := proc.TakeOver(ctx, filepath.Join(o.Dir, "postgres.lock"), takeOverPatience)
	if err != nil {
		return fmt.Errorf("lock the PostgreSQL folder: %w", err)
	}
	defer func() { _ = lock.Release() }()
	c, err := open(ctx, o)
	if err != nil {
		return err
	}
	if err := c.stopOrphans(ctx); err != nil {
		return err
	}
	if err := c.initialise(ctx); err != nil {
		return err
	}
	return c.serve(ctx, ready)
}

// URL is the address of the product's database in the cluster of dir. The password holds characters that mean something
// in a URL, so that code which forgets to escape fails here and not at a customer's.
func URL(dir string, port int) (string, error) {
	password, err := readSecret(filepath.Join(dir, "password"))
	if err != nil {
		return "", err
	}
	return address(role, password, database, port), nil
}

func address(user, password, db string, port int) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password),
		Host: "127.0.0.1:" + strconv.Itoa(port), Path: "/" + db, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// cluster is one data folder and the programs that fit it.
type cluster struct {
	Options
	bin  binaries
	data string
	cred *syscall.Credential
	// password is the product's role's, owner the superuser's: the product is no superuser, as in production.
	password, owner string
}

func open(ctx context.Context, o Options) (*cluster, error) {
	cred, err := proc.Unprivileged()
	if err != nil {
		return nil, err
	}
	c := &cluster{Options: o, cred: cred}
	if c.data, err = dataDir(o.Dir, cred != nil); err != nil {
		return nil, err
	}
	if c.password, err = ensureSecret(filepath.Join(o.Dir, "password")); err != nil {
		return nil, err
	}
	if c.owner, err = ensureSecret(filepath.Join(o.Dir, "superuser.password")); err != nil {
		return nil, err
	}
	major, err := dataMajor(c.data)
	if err != nil {
		return nil, err
	}
	if c.bin, err = find(ctx, major); err != nil {
		return nil, err
	}
	return c, nil
}

// serve runs the postmaster in the foreground, as a child that is shut down when this process dies.
func (c *cluster) serve(ctx context.Context, ready func()) error {
	logFile, err := os.OpenFile(filepath.Join(c.Dir, "postgres.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the PostgreSQL log: %w", err)
	}
	defer logFile.Close()
	cmd := exec.Command(c.bin.path("postgres"), c.settings()...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.data, logFile, logFile
	cmd.SysProcAttr = proc.Child(syscall.SIGINT, c.cred) // SIGINT is PostgreSQL's fast shutdown
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	if err := c.awaitUsable(ctx, ended); err != nil {
		return errors.Join(err, stop(cmd, ended))
	}
	ready()
	select {
	case err := <-ended:
		return fmt.Errorf("PostgreSQL stopped by itself (%w); its log says:\n%s", errOrEnd(err), c.logTail())
	case <-ctx.Done():
		return stop(cmd, ended)
	}
}

func (c *cluster) settings() []string {
	values := []string{
		"listen_addresses=127.0.0.1",
		"unix_socket_directories=", // TCP only: nothing in a shared /tmp
		"timezone=UTC",
		"log_timezone=UTC",
		"max_connections=200", // suites run side by side, each with a pool of its own
		"shared_buffers=128MB",
		"log_min_messages=warning",
		"log_line_prefix=%m [%p] ",
	}
	if c.ThrowAway {
		values = append(values, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	args := []string{"-D", c.data, "-p", strconv.Itoa(c.Port)}
	for _, v := range values {
		args = append(args, "-c", v)
	}
	return args
}

// awaitUsable returns once the product's own role can query its own database.
func (c *cluster) awaitUsable(ctx context.Context, ended chan error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, errors.New("PostgreSQL did not start in a minute"))
	defer cancel()
	target := address(role, c.password, database, c.Port)
	for {
		err := ping(ctx, target)
		if err == nil {
			return nil
		}
		select {
		case end := <-ended:
			ended <- end // the caller waits on it as well
			return fmt.Errorf("PostgreSQL ended while starting (%w); its log says:\n%s", errOrEnd(end), c.logTail())
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL: %w (last answer: %w)", context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func ping(ctx context.Context, target string) error {
	conn, err := pgx.Connect(ctx, target)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.Ping(ctx)
}

// stop asks for a fast shutdown, and for an immediate one when that takes too long.
func stop(cmd *exec.Cmd, ended chan error) error {
	_ = cmd.Process.Signal(syscall.SIGINT) // it may be gone already
	select {
	case <-ended: //nolint:errcheck // that it ended is enough
		return nil
	case <-time.After(stopPatience):
	}
	_ = cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-ended: //nolint:errcheck // that it ended is enough
		return nil
	case <-time.After(5 * time.Second):
		return errors.New("PostgreSQL does not stop")
	}
}

func (c *cluster) logTail() string {
	text, err := os.ReadFile(filepath.Join(c.Dir, "postgres.log"))
	if err != nil {
		return err.Error()
	}
	return tail(text, 1500)
}

func errOrEnd(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

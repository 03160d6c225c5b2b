// Package stack starts the parts as child processes, runs a command with their addresses in its environment, and tears
// everything down.
//
// It may import proc, postgres and the standard library; the parts themselves run in processes of their own, so that a test can kill
// one of them like the real thing.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"throughline.dev/throughline/devstack/internal/postgres"
	"throughline.dev/throughline/devstack/internal/proc"
)

// Options of one run.
type Options struct {
	// Self is the program whose subcommands are the parts.
	Self string
	// Dir keeps the state; with ThrowAway it is a temporary folder.
	Dir       string
	ThrowAway bool
	FreePorts bool
	Workdir   string
	Namespace string
	// TemporalSet is dynamic configuration for the server, name=value.
	TemporalSet []string
	Command     []string
	// Out is where the stack says what it does.
	Out io.Writer
}

// Run returns the command's exit code, or an error when the stack could not be brought up.
func Run(ctx context.Context, o Options) (code int, err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	// Until there is something to tear down, a signal just ends it.
	early, stopEarly := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stopEarly()
	if err := postgres.Ensure(early, o.Out); err != nil {
		return 0, err
	}
	began := time.Now()
	f, err := openFolder(early, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	s := &stack{Options: o, folder: f}
	if s.ports, err = choosePorts(o.FreePorts, loadPorts(f.dir), os.Getenv); err != nil {
		return 0, err
	}
	if err := s.ports.save(f.dir); err != nil {
		return 0, err
	}
	defer s.stop()
	if err := s.startParts(ctx, signals); err != nil {
		return 0, err
	}
	env, err := s.environment()
	if err != nil {
		return 0, err
	}
	s.say("ready in %.1f s, state in %s", time.Since(began).Seconds(), s.place())
	return s.runCommand(env, signals)
}

type stack struct {
	Options
	*folder
	ports ports
	parts []*part // in the order in which they stop
}

func (s *stack) say(format string, args ...any) {
	fmt.Fprintf(s.Out, "devstack: "+format+"\n", args...)
}

func (s *stack) place() string {
	if s.throwAway {
		return s.dir + " (removed at the end)"
	}
	return s.dir
}

func (s *stack) newParts() []*part {
	port := strconv.Itoa
	temporal := []string{
		"temporal", "--dir", filepath.Join(s.dir, "temporal"), "--port", port(s.ports.Temporal),
		"--ui-port", port(s.ports.TemporalUI), "--namespace", s.Namespace,
	}
	for _, setting := range s.TemporalSet {
		temporal = append(temporal, "--set", setting)
	}
	pg := []string{"postgres", "--dir", filepath.Join(s.dir, "postgres"), "--port", port(s.ports.Postgres)}
	temporalEnds := syscall.SIGTERM
	if s.throwAway {
		pg = append(pg, "--throw-away")
		temporalEnds = syscall.SIGKILL // a clean stop takes a second and saves nothing here
	}
	inbox := []string{
		"inbox", "--dir", filepath.Join(s.dir, "inbox"),
		"--smtp-port", port(s.ports.SMTP), "--http-port", port(s.ports.Inbox),
	}
	make := func(name string, args []string, dies, ends syscall.Signal) *part {
		return &part{
			name: name, args: args, dies: dies, ends: ends, say: s.say,
			dir: filepath.Join(s.dir, name), pid: filepath.Join(s.dir, name+".pid"),
		}
	}
	return []*part{
		make("temporal", temporal, syscall.SIGKILL, temporalEnds), // its file bears a kill
		make("inbox", inbox, syscall.SIGKILL, syscall.SIGTERM),
		make("postgres", pg, syscall.SIGTERM, syscall.SIGTERM), // has a cluster of its own to stop
	}
}

// startParts starts all parts side by side. The first failure, or a signal, ends the attempt.
func (s *stack) startParts(ctx context.Context, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.parts = s.newParts()
	results := make(chan error, len(s.parts))
	for _, p := range s.parts {
		go func() { results <- p.start(ctx, s.Self) }()
	}
	var problems []error
	for pending := len(s.parts); pending > 0; {
		select {
		case err := <-results:
			pending--
			if err != nil && len(problems) == 0 { // the others' errors are only that they were told to stop
				problems = append(problems, err)
				cancel(err)
			}
		case sig := <-signals:
			problems = append(problems, fmt.Errorf("stopped by %s while starting", sig))
			cancel(problems[0])
		}
	}
	return errors.Join(problems...)
}

func (s *stack) stop() {
	for _, p := range s.parts {
		p.stop()
	}
}

// environment is what the command finds: the only thing that the product knows of this stack.
func (s *stack) environment() ([]string, error) {
	database, err := postgres.URL(filepath.Join(s.dir, "postgres"), s.ports.Postgres)
	if err != nil {
		return nil, err
	}
	keys, err := ensureKeys(s.dir, os.Getenv)
	if err != nil {
		return nil, err
	}
	env := append(os.Environ(),
		"DATABASE_URL="+database,
		"TEMPORAL_ADDRESS="+address(s.ports.Temporal),
		"TEMPORAL_NAMESPACE="+s.Namespace,
		"TEMPORAL_UI_URL=http://"+address(s.ports.TemporalUI),
		"SMTP_URL=smtp://"+address(s.ports.SMTP),
		"INBOX_URL=http://"+address(s.ports.Inbox),
		"DEVSTACK_BIN="+s.Self,
		"DEVSTACK_DIR="+s.dir,
	)
	for _, name := range keyNames() {
		env = append(env, name+"="+keys[name])
	}
	return env, nil
}

// runCommand runs the command in a process group of its own and hands every signal on exactly once. In the terminal's
// own group a Ctrl-C would reach it twice, from the terminal and from here, and the second one often means "at once".
func (s *stack) runCommand(env []string, signals <-chan os.Signal) (int, error) {
	lock, err := os.OpenFile(filepath.Join(s.dir, commandLock), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return 0, fmt.Errorf("lock the command: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return 0, fmt.Errorf("lock the command: %w", err)
	}
	if err := lock.Truncate(0); err != nil {
		return 0, fmt.Errorf("lock the command: %w", err)
	}
	cmd := exec.Command(s.Command[0], s.Command[1:]...)
	cmd.Dir, cmd.Env = s.Workdir, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = commandInput(), os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{lock} // inherited: held until the command has ended, whatever happens to us
	cmd.SysProcAttr = proc.Child(syscall.SIGTERM, nil)
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start the command: %w", err)
	}
	group := -cmd.Process.Pid
	if _, err := lock.WriteAt([]byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0); err != nil {
		s.say("note the command's process: %v", err) // only a later takeover misses it
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case sig := <-signals:
			_ = syscall.Kill(group, sig.(syscall.Signal)) // it may have ended just now
		case err := <-ended:
			_ = syscall.Kill(group, syscall.SIGKILL) // what it left behind in its group
			return exitCode(cmd, err)
		}
	}
}

// commandInput is our own input, unless that is a terminal: a background group that reads from it is stopped by the kernel.
func commandInput() *os.File {
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice != 0 {
		return nil
	}
	return os.Stdin
}

func exitCode(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("wait for the command: %w", err)
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal()), nil // as a shell says it
	}
	return cmd.ProcessState.ExitCode(), nil
}

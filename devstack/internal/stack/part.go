package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"throughline.dev/throughline/devstack/internal/proc"
)

// part is one child process of the stack and its life: started, watched, started again, stopped.
type part struct {
	name string
	dir  string // its own folder
	pid  string // file with its process id, for tests that kill it
	args []string
	// dies is the signal that the kernel sends it when this process is killed.
	dies syscall.Signal
	// ends is the signal that stops it.
	ends syscall.Signal
	say  func(format string, args ...any)

	mu       sync.Mutex
	process  *os.Process
	stopping bool
	done     chan struct{} // closed when the watcher has ended
}

const (
	readyPatience = 90 * time.Second
	stopPatience  = 40 * time.Second // longer than PostgreSQL's own patience with its cluster
)

// start returns once the part is ready; from then on it is watched.
func (p *part) start(ctx context.Context, self string) error {
	ended, err := p.launch(ctx, self)
	if err != nil {
		return err
	}
	p.done = make(chan struct{})
	go p.watch(self, ended)
	return nil
}

// launch starts the process once and waits for its line "ready".
func (p *part) launch(ctx context.Context, self string) (<-chan error, error) {
	logPath := filepath.Join(p.dir, "process.log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	cmd := exec.Command(self, p.args...)
	cmd.Stderr = log // a file and no pipe: it goes on when this process is killed
	cmd.SysProcAttr = proc.Child(p.dies, nil)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	if err := p.run(cmd); err != nil {
		return nil, err
	}
	ready, ended := make(chan bool, 1), make(chan error, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		ready <- line == "ready\n"
		_, _ = io.Copy(io.Discard, out)
		ended <- cmd.Wait()
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, readyPatience, fmt.Errorf("not ready after %s", readyPatience))
	defer cancel()
	select {
	case ok := <-ready:
		if ok {
			return ended, nil
		}
		return nil, fmt.Errorf("%s did not start (%w)%s", p.name, endOf(<-ended), tailOf(logPath, info.Size()))
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		<-ended
		return nil, fmt.Errorf("%s did not start: %w%s", p.name, context.Cause(ctx), tailOf(logPath, info.Size()))
	}
}

// run starts the process unless the part is being stopped.
func (p *part) run(cmd *exec.Cmd) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping {
		return errors.New("stopping")
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.process = cmd.Process
	if err := os.WriteFile(p.pid, []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o644); err != nil {
		return fmt.Errorf("note the process of %s: %w", p.name, err)
	}
	return nil
}

// watch starts the part again when it dies: the product must cope with that, and nobody wants to start all over.
func (p *part) watch(self string, ended <-chan error) {
	defer close(p.done)
	pause := 100 * time.Millisecond
	for {
		began := time.Now()
		err := <-ended
		for {
			if p.isStopping() {
				return
			}
			p.say("%s ended (%v); starting it again", p.name, endOf(err))
			if time.Since(began) > time.Minute {
				pause = 100 * time.Millisecond
			}
			time.Sleep(pause)
			pause = min(2*pause, 5*time.Second)
			if ended, err = p.launch(context.Background(), self); err == nil {
				p.say("%s is up again", p.name)
				break
			}
		}
	}
}

func (p *part) isStopping() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping
}

// stop ends the part and returns when it is gone.
func (p *part) stop() {
	p.mu.Lock()
	p.stopping = true
	process := p.process
	p.mu.Unlock()
	if process == nil {
		return
	}
	if p.done == nil { // it never became ready: launch has seen its end or the caller gives up
		_ = process.Kill()
		return
	}
	_ = process.Signal(p.ends) // it may be gone already
	select {
	case <-p.done:
		return
	case <-time.After(stopPatience):
		p.say("%s does not stop; killing it", p.name)
	}
	_ = process.Kill()
	<-p.done
}

func endOf(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// tailOf is what the process said, below its error; nothing when it said nothing.
func tailOf(path string, from int64) string {
	text, err := os.ReadFile(path)
	if err != nil || int64(len(text)) <= from {
		return ""
	}
	said := strings.TrimSpace(string(text[from:]))
	if len(said) > 3000 {
		said = said[len(said)-3000:]
	}
	return "\n" + said
}

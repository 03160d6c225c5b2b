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

// life is one run of a part's process.
type life struct {
	cmd  *exec.Cmd
	gone <-chan struct{} // closed at its end
}

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
	done     chan struct{} // closed when the watcher has ended; nil before the part was ready
	quit     chan struct{} // closed by stop
}

const (
	readyPatience = 90 * time.Second
	stopPatience  = 40 * time.Second // longer than PostgreSQL's own patience with its cluster
)

// start returns once the part is ready; from then on it is watched.
func (p *part) start(ctx context.Context, self string) error {
	first, err := p.launch(ctx, self)
	if err != nil {
		return err
	}
	p.done, p.quit = make(chan struct{}), make(chan struct{})
	go p.watch(self, first)
	return nil
}

// launch starts the process once and waits for its line "ready".
func (p *part) launch(ctx context.Context, self string) (*life, error) {
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
	ready, gone := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(gone)
		line, _ := bufio.NewReader(out).ReadString('\n') // torn when it died; then it is not the line
		ready <- line == "ready\n"
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // what it says is read from ProcessState
	}()
	ctx, cancel := context.WithTimeoutCause(ctx, readyPatience, fmt.Errorf("not ready after %s", readyPatience))
	defer cancel()
	select {
	case ok := <-ready:
		if ok {
			return &life{gone: gone, cmd: cmd}, nil
		}
		<-gone
		return nil, fmt.Errorf("%s did not start (%s)%s", p.name, cmd.ProcessState, tailOf(logPath, info.Size()))
	case <-ctx.Done():
		p.end(cmd.Process, gone, 10*time.Second)
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
func (p *part) watch(self string, now *life) {
	defer close(p.done)
	const shortest, longest = 100 * time.Millisecond, 5 * time.Second
	pause := shortest
	for {
		began := time.Now()
		<-now.gone
		if time.Since(began) > time.Minute {
			pause = shortest
		}
		if p.isStopping() {
			return
		}
		p.say("%s ended (%s); starting it again", p.name, now.cmd.ProcessState)
		if now = p.relaunch(self, &pause, longest); now == nil {
			return
		}
		p.say("%s is up again", p.name)
	}
}

// relaunch tries until it is up; nil when the part is being stopped.
func (p *part) relaunch(self string, pause *time.Duration, longest time.Duration) *life {
	for {
		select {
		case <-p.quit:
			return nil
		case <-time.After(*pause):
		}
		*pause = min(2**pause, longest)
		next, err := p.launch(context.Background(), self)
		switch {
		case p.isStopping():
			if next != nil {
				<-next.gone // stop has told it to end
			}
			return nil
		case err == nil:
			return next
		}
		p.say("%v", err)
	}
}

func (p *part) isStopping() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping
}

// stop ends the part and returns when it is gone. A part that never became ready was ended by launch.
func (p *part) stop() {
	p.mu.Lock()
	p.stopping = true
	process := p.process
	p.mu.Unlock()
	if p.done == nil {
		return
	}
	close(p.quit)
	p.end(process, p.done, stopPatience)
}

// end asks the process to end, and does not ask again.
func (p *part) end(process *os.Process, gone <-chan struct{}, patience time.Duration) {
	_ = process.Signal(p.ends) // it may be gone already
	select {
	case <-gone:
		return
	case <-time.After(patience):
		p.say("%s does not stop; killing it", p.name)
	}
	_ = process.Kill()
	<-gone
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

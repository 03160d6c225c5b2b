// Package proc holds the few things that the parts of the stack need from the operating system: a lock that
// dies with its holder, children that die with their parent, and an unprivileged identity.
//
// It may import the standard library only.
package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Lock is an advisory lock on a file. The kernel releases it when its holder dies, however it dies.
type Lock struct{ file *os.File }

// Held is the error of a lock that another process has.
type Held struct{ PID int }

func (h Held) Error() string { return fmt.Sprintf("held by process %d", h.PID) }

// Acquire takes the lock at once or returns Held. The file says who has it.
func Acquire(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, Held{PID: readPID(path)}
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("write lock: %w", err), f.Close())
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("write lock: %w", err), f.Close())
	}
	return &Lock{file: f}, nil
}

// TakeOver takes the lock from a predecessor that is on its way out: it waits for patience, then kills the process that
// the file names, if that one is seen to have the file open: the number may be a stranger's by now.
func TakeOver(ctx context.Context, path string, patience time.Duration) (*Lock, error) {
	deadline := time.Now().Add(patience)
	killed := false
	for {
		lock, err := Acquire(path)
		var held Held
		if err == nil || !errors.As(err, &held) {
			return lock, err
		}
		if time.Now().After(deadline) {
			if killed || !hasOpen(held.PID, path) {
				return nil, err
			}
			if err := syscall.Kill(held.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return nil, fmt.Errorf("take over from process %d: %w", held.PID, err)
			}
			killed, deadline = true, time.Now().Add(5*time.Second)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Release gives the lock up. The file stays: removing it would race with the next holder.
func (l *Lock) Release() error { return l.file.Close() }

// hasOpen says whether a process has the file open; never where there is no /proc to look at.
func hasOpen(pid int, path string) bool {
	want, err := filepath.EvalSymlinks(path)
	if err != nil || pid <= 0 {
		return false
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(files, func(fd string) bool {
		target, err := os.Readlink(fd)
		return err == nil && target == want
	})
}

func readPID(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

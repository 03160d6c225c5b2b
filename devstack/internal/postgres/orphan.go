package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopOrphan stops a postmaster that outlived the process that started it. Its pid file is trusted only after the
// process itself was seen to be a postmaster of this folder: after a reboot the number may be anybody's.
func (c *cluster) stopOrphan(ctx context.Context) error {
	pid, dir, err := readPIDFile(filepath.Join(c.data, "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if dir != c.data || !servesFolder(pid, c.data) {
		return nil // stale: PostgreSQL itself removes it
	}
	for _, try := range []struct {
		sig      syscall.Signal
		patience time.Duration
	}{{syscall.SIGINT, 15 * time.Second}, {syscall.SIGQUIT, 10 * time.Second}} {
		if err := syscall.Kill(pid, try.sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop an orphaned PostgreSQL (process %d): %w", pid, err)
		}
		for deadline := time.Now().Add(try.patience); time.Now().Before(deadline); {
			if !servesFolder(pid, c.data) {
				return nil
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return fmt.Errorf("an orphaned PostgreSQL (process %d) does not stop", pid)
}

// readPIDFile reads the first two lines of postmaster.pid: process id and data folder.
func readPIDFile(file string) (pid int, dir string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, "", fmt.Errorf("read postmaster.pid: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	var got []string
	for len(got) < 2 && lines.Scan() {
		got = append(got, strings.TrimSpace(lines.Text()))
	}
	if err := lines.Err(); err != nil {
		return 0, "", fmt.Errorf("read postmaster.pid: %w", err)
	}
	if len(got) < 2 {
		return 0, "", nil // killed while writing it
	}
	if pid, err = strconv.Atoi(got[0]); err != nil || pid <= 1 {
		return 0, "", nil
	}
	return pid, got[1], nil
}

// servesFolder says whether process pid works in the data folder: a postmaster changes into it. Where there is no
// /proc, the command line would have to be parsed from ps; there the pid file's own folder line must do.
func servesFolder(pid int, data string) bool {
	if pid <= 1 {
		return false
	}
	if _, err := os.Stat("/proc/self/cwd"); err != nil {
		return syscall.Kill(pid, 0) == nil
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	want, err := filepath.EvalSymlinks(data)
	return err == nil && cwd == want
}

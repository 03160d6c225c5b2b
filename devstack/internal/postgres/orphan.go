package postgres

import (
	"bufio"
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

// stopOrphans stops what outlived the process that started it: a postmaster, and the backends of one that was killed. A backend
// that is busy with a long query does not notice that its postmaster is gone, and as long as it lives no new one may start.
//
// The pid file is trusted only after the process itself was seen to work in this folder: after a reboot the number may be
// anybody's.
func (c *cluster) stopOrphans(ctx context.Context) error {
	pid, dir, err := readPIDFile(filepath.Join(c.data, "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // shut down in good order
	}
	if err != nil {
		return err
	}
	if dir == c.data && worksIn(pid, c.data) {
		err := end(ctx, func() []int { return living([]int{pid}, c.data) }, []step{
			{syscall.SIGINT, 15 * time.Second}, {syscall.SIGQUIT, 10 * time.Second},
		})
		if err != nil {
			return fmt.Errorf("stop an orphaned PostgreSQL: %w", err)
		}
	}
	// Without a postmaster nothing but crash recovery can follow: there is no state in a backend to be careful with.
	err = end(ctx, func() []int { return living(allProcesses(), c.data) }, []step{
		{syscall.SIGQUIT, time.Second}, {syscall.SIGKILL, 5 * time.Second},
	})
	if err != nil {
		return fmt.Errorf("stop PostgreSQL's orphaned processes: %w", err)
	}
	return nil
}

// step is a signal and how long to wait for its effect.
type step struct {
	sig      syscall.Signal
	patience time.Duration
}

// end sends one signal after the other until no process is left.
func end(ctx context.Context, left func() []int, steps []step) error {
	for _, s := range steps {
		for _, pid := range left() {
			if err := syscall.Kill(pid, s.sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("send %s to process %d: %w", s.sig, pid, err)
			}
		}
		for deadline := time.Now().Add(s.patience); time.Now().Before(deadline); {
			if len(left()) == 0 {
				return nil
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	return fmt.Errorf("processes %v do not end", left())
}

// living are those of the processes that work in the data folder.
func living(pids []int, data string) []int {
	return slices.DeleteFunc(slices.Clone(pids), func(pid int) bool { return !worksIn(pid, data) })
}

// allProcesses lists every process; nothing where there is no /proc.
func allProcesses() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
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

// worksIn says whether process pid works in the data folder: PostgreSQL's processes do. Where there is no
// /proc, the command line would have to be parsed from ps; there the pid file's own folder line must do.
func worksIn(pid int, data string) bool {
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

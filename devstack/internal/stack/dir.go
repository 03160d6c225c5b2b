package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"throughline.dev/throughline/devstack/internal/postgres"
	"throughline.dev/throughline/devstack/internal/proc"
)

const (
	runLock     = "run.lock"
	commandLock = "command.lock"
	throwAway   = "throughline-devstack-"
)

// folder is the stack's place on disk, ours alone for as long as lock is held.
type folder struct {
	dir       string
	throwAway bool
	lock      *proc.Lock
}

func openFolder(ctx context.Context, o Options) (*folder, error) {
	f := &folder{dir: o.Dir, throwAway: o.ThrowAway}
	if o.ThrowAway {
		sweep(os.TempDir(), time.Now())
		dir, err := os.MkdirTemp("", throwAway)
		if err != nil {
			return nil, fmt.Errorf("make a folder: %w", err)
		}
		f.dir = dir
	}
	// Others may walk through (PostgreSQL runs as an unprivileged user when we are root); what is private is closed below.
	if err := errors.Join(os.MkdirAll(f.dir, 0o755), os.Chmod(f.dir, 0o755)); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	for name, mode := range map[string]os.FileMode{"temporal": 0o700, "inbox": 0o700, "postgres": 0o755} {
		if err := os.MkdirAll(filepath.Join(f.dir, name), mode); err != nil {
			return nil, fmt.Errorf("make the folder: %w", err)
		}
	}
	lock, err := proc.Acquire(filepath.Join(f.dir, runLock))
	var held proc.Held
	if errors.As(err, &held) {
		return nil, fmt.Errorf("a stack is already running on %s (process %d): stop it, or give another --dir", f.dir, held.PID)
	}
	if err != nil {
		return nil, err
	}
	f.lock = lock
	if err := f.awaitPredecessors(ctx); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// awaitPredecessors lets go what a killed run left behind: its command and parts were told to end by the kernel, and each
// holds a lock until it has. Who does not end is killed.
func (f *folder) awaitPredecessors(ctx context.Context) error {
	for _, p := range []struct {
		lock     string
		patience time.Duration
	}{
		{commandLock, 15 * time.Second},
		{filepath.Join("temporal", "temporal.lock"), 5 * time.Second},
		{filepath.Join("inbox", "inbox.lock"), 5 * time.Second},
		{filepath.Join("postgres", "postgres.lock"), 20 * time.Second},
	} {
		lock, err := proc.TakeOver(ctx, filepath.Join(f.dir, p.lock), p.patience)
		if err != nil {
			return fmt.Errorf("take over from the last run: %w", err)
		}
		if err := lock.Release(); err != nil {
			return fmt.Errorf("take over from the last run: %w", err)
		}
	}
	return nil
}

func (f *folder) close() error {
	if !f.throwAway {
		return f.lock.Release()
	}
	return errors.Join(remove(f.dir), f.lock.Release())
}

func remove(dir string) error {
	return errors.Join(postgres.Remove(filepath.Join(dir, "postgres")), os.RemoveAll(dir))
}

// sweep removes throw-away folders whose run was killed. Best effort: what can't be removed stays.
func sweep(temp string, now time.Time) {
	locks, err := filepath.Glob(filepath.Join(temp, throwAway+"*", runLock))
	if err != nil {
		return
	}
	for _, path := range locks {
		info, err := os.Stat(path)
		if err != nil || now.Sub(info.ModTime()) < time.Minute {
			continue // perhaps its parts are still ending
		}
		lock, err := proc.Acquire(path)
		if err != nil {
			continue // in use
		}
		_ = remove(filepath.Dir(path))
		_ = lock.Release()
	}
}

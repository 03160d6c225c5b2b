package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"throughline.dev/throughline/devstack/internal/proc"
)

// awkward ends every password: each of these characters has a meaning in a URL or in libpq's key=value form.
const awkward = `@:/?#[]%&+= '\"`

// homeForRoot is where root's clusters live whose own folder other users can't walk into (a closed home).
const homeForRoot = "/var/lib/throughline-devstack"

// dataDir is the cluster's folder: in dir, or, for a root whose dir is out of an unprivileged user's reach, in homeForRoot
// under a name made from dir. A note in dir tells where.
func dataDir(dir string, asOther bool) (string, error) {
	if !asOther || proc.Reachable(dir) {
		return filepath.Join(dir, "data"), nil
	}
	sum := sha256.Sum256([]byte(dir))
	away := filepath.Join(homeForRoot, hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(away, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, awayNote), []byte(away+"\n"), 0o644); err != nil {
		return "", fmt.Errorf("note where PostgreSQL's data is: %w", err)
	}
	return filepath.Join(away, "data"), nil
}

const awayNote = "data.elsewhere"

// Remove deletes what a cluster in dir left outside of it. The folder itself is the caller's.
func Remove(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, awayNote))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find PostgreSQL's data: %w", err)
	}
	away := strings.TrimSpace(string(text))
	if filepath.Dir(away) != homeForRoot {
		return fmt.Errorf("%s names a folder that is not ours", awayNote)
	}
	return os.RemoveAll(away)
}

// initialise makes the cluster once. It is built under another name and renamed when it is whole, so that a kill
// halfway leaves nothing that looks like a cluster.
func (c *cluster) initialise(ctx context.Context) error {
	if _, err := os.Stat(c.data); err == nil {
		return nil
	}
	fresh := c.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove a half-made cluster: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if c.cred != nil {
		if err := os.Chown(fresh, int(c.cred.Uid), int(c.cred.Gid)); err != nil {
			return fmt.Errorf("hand the data folder to an unprivileged user: %w", err)
		}
	}
	if err := c.initdb(ctx, fresh); err != nil {
		return err
	}
	if err := c.createDatabase(ctx, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, c.data); err != nil {
		return fmt.Errorf("finish the data folder: %w", err)
	}
	return nil
}

func (c *cluster) initdb(ctx context.Context, into string) error {
	// The password goes through a pipe: the unprivileged user can't read our folder and needs no file of its own.
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pass the password to initdb: %w", err)
	}
	defer read.Close()
	if _, err := write.WriteString(c.owner + "\n"); err != nil {
		return errors.Join(fmt.Errorf("pass the password to initdb: %w", err), write.Close())
	}
	if err := write.Close(); err != nil {
		return fmt.Errorf("pass the password to initdb: %w", err)
	}
	if c.cred != nil {
		// Opening /dev/fd/3 checks the pipe's owner, as for a file.
		if err := read.Chown(int(c.cred.Uid), int(c.cred.Gid)); err != nil {
			return fmt.Errorf("pass the password to initdb: %w", err)
		}
	}
	// Byte order for sorting (the same everywhere, and fast), Unicode for lower() and friends: with plain "C" only
	// ASCII letters would have a lower case.
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		locale = "en_US.UTF-8" // macOS has no C.UTF-8
	}
	args := []string{
		"-D", into, "--username=postgres", "--pwfile=/dev/fd/3", "--auth=scram-sha-256", // fd 3: the first extra file
		"--encoding=UTF8", "--locale=" + locale,
	}
	if c.ThrowAway {
		args = append(args, "--no-sync")
	}
	return c.command(ctx, "initdb", args, "", read)
}

// createDatabase uses single-user mode: no port, no moment in which the cluster is up and half made.
func (c *cluster) createDatabase(ctx context.Context, data string) error {
	// CREATEDB: tests make databases of their own. No superuser: what needs one would fail in production too.
	// One statement a line, and no line break in a password (it has none).
	sql := "CREATE ROLE " + role + " LOGIN CREATEDB PASSWORD " + quote(c.password) + ";\n" +
		"CREATE DATABASE " + database + " OWNER " + role + ";\n"
	return c.command(ctx, "postgres", []string{"--single", "-D", data, "-c", "log_min_messages=fatal", "postgres"}, sql, nil)
}

// quote makes a literal whatever standard_conforming_strings says.
func quote(text string) string {
	return " E'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

func (c *cluster) command(ctx context.Context, name string, args []string, stdin string, extra *os.File) error {
	cmd := exec.CommandContext(ctx, c.bin.path(name), args...)
	cmd.SysProcAttr = proc.Child(syscall.SIGKILL, c.cred)
	cmd.Dir = "/"
	cmd.Stdin = strings.NewReader(stdin)
	if extra != nil {
		cmd.ExtraFiles = []*os.File{extra}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, tail(out, 1500))
	}
	// Single-user mode reports a failed statement and exits with zero.
	if text := string(out); name == "postgres" && strings.Contains(text, "ERROR:") {
		return fmt.Errorf("%s: a statement failed", name) // its text may hold a password
	}
	return nil
}

// dataMajor is the version that made the data folder, 0 when there is none.
func dataMajor(data string) (int, error) {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the data folder's version: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read the data folder's version: %w", err)
	}
	return major, nil
}

func ensureSecret(file string) (string, error) {
	secret, err := readSecret(file)
	if !errors.Is(err, os.ErrNotExist) {
		return secret, err
	}
	secret = rand.Text() + awkward
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the password: %w", err)
	}
	return secret, nil
}

func readSecret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimSuffix(string(text), "\n"), nil
}

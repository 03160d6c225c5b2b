package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// errNoBinaries is what a machine without PostgreSQL gets to read.
var errNoBinaries = errors.New("PostgreSQL's programs are not on this machine: install it " +
	"(Debian/Ubuntu: apt-get install postgresql, Fedora: dnf install postgresql-server, macOS: brew install postgresql), " +
	"or put its bin folder on PATH")

// binaries is the folder that holds initdb and postgres.
type binaries string

func (b binaries) path(name string) string { return filepath.Join(string(b), name) }

// major is the server's major version.
func (b binaries) major(ctx context.Context) (int, error) {
	out, err := exec.CommandContext(ctx, b.path("postgres"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("ask PostgreSQL for its version: %w", err)
	}
	return parseMajor(string(out))
}

// parseMajor reads "postgres (PostgreSQL) 15.18 (Debian …)" and "… 18beta1".
func parseMajor(version string) (int, error) {
	_, number, ok := strings.Cut(version, ") ")
	end := strings.IndexFunc(number, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(number)
	}
	major, err := strconv.Atoi(number[:end])
	if !ok || err != nil {
		return 0, fmt.Errorf("unknown PostgreSQL version %q", strings.TrimSpace(version))
	}
	return major, nil
}

// candidates are the folders with PostgreSQL in them: PATH first (the user chose it), then Debian's, Red Hat's and
// Homebrew's places, newest first.
func candidates(path string, globs []string) []binaries {
	dirs := filepath.SplitList(path)
	var found []string
	for _, glob := range globs {
		matches, err := filepath.Glob(glob)
		if err != nil {
			continue // only a malformed pattern, and the patterns are ours
		}
		found = append(found, matches...)
	}
	slices.SortStableFunc(found, func(a, b string) int { return versionIn(b) - versionIn(a) })
	var out []binaries
	for _, dir := range append(dirs, found...) {
		if dir != "" && executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			out = append(out, binaries(dir))
		}
	}
	return out
}

func knownPlaces() []string {
	return []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin", "/usr/local/pgsql/bin",
	}
}

// versionIn is the number in a path such as /usr/lib/postgresql/15/bin or /usr/pgsql-15/bin.
func versionIn(path string) int {
	number := strings.TrimFunc(filepath.Base(filepath.Dir(path)), func(r rune) bool { return r < '0' || r > '9' })
	if n, err := strconv.Atoi(number); err == nil {
		return n
	}
	return 0
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode().Perm()&0o111 != 0
}

// find returns the programs that fit a data folder (wantMajor, 0 for a new one).
func find(ctx context.Context, wantMajor int) (binaries, error) {
	all := candidates(os.Getenv("PATH"), knownPlaces())
	if len(all) == 0 {
		return "", errNoBinaries
	}
	if wantMajor == 0 {
		return all[0], nil
	}
	for _, b := range all {
		if major, err := b.major(ctx); err == nil && major == wantMajor {
			return b, nil
		}
	}
	return "", fmt.Errorf("the data folder was made by PostgreSQL %d, which is not on this machine: install that version, "+
		"or remove the folder to start empty", wantMajor)
}

// Ensure makes sure that PostgreSQL is there: on Debian, as root, it installs it and says so; elsewhere it explains.
func Ensure(ctx context.Context, progress io.Writer) error {
	_, err := find(ctx, 0)
	if !errors.Is(err, errNoBinaries) {
		return err
	}
	apt, lookErr := exec.LookPath("apt-get")
	if lookErr != nil || os.Geteuid() != 0 || runtime.GOOS != "linux" {
		return err
	}
	fmt.Fprintln(progress, "devstack: PostgreSQL is not on this machine; installing Debian's package (a minute or two)")
	if err := refuseDefaultCluster("/etc/postgresql-common"); err != nil {
		return err
	}
	for _, args := range [][]string{{"update", "-qq"}, {"install", "-y", "-qq", "--no-install-recommends", "postgresql"}} {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, tail(out, 2000))
		}
	}
	_, err = find(ctx, 0)
	return err
}

// refuseDefaultCluster keeps Debian's package from starting a cluster of its own on port 5432. A configuration that is
// already there is the machine owner's and stays.
func refuseDefaultCluster(dir string) error {
	file := filepath.Join(dir, "createcluster.conf")
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("prepare the PostgreSQL package: %w", err)
	}
	if err := os.WriteFile(file, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return fmt.Errorf("prepare the PostgreSQL package: %w", err)
	}
	return nil
}

func tail(text []byte, most int) string {
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return strings.TrimSpace(string(text))
}

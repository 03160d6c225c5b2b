package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
)

// importCLI is the import of a file by the command, against a product of the test's.
func (p *product) importCLI(t *testing.T, base string, args ...string) (string, string, error) {
	t.Helper()
	cmd, err := parseImport(args)
	require.NoError(t, err)
	var out, progress bytes.Buffer
	cmd.client, cmd.out, cmd.progress = apiClient{base: base, key: p.config.AdminKey}, &out, &progress
	err = cmd.run(t.Context())
	return out.String(), progress.String(), err
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestImportAndExportFromTheCommandLine(t *testing.T) {
	t.Parallel()
	p := start(t)
	file := writeFile(t, "leads.csv", "Id;Work mail;Seats\nu1;ana@example.test;5\nu2;secret-value;6\nu3;;x\nu4;bob@example.test;1.5\n")
	args := []string{file, "--map", "user_id=Id", "--map", "email=Work mail", "--map", "trait:seats:number=Seats"}
	says, _, err := p.importCLI(t, p.base, append(args, "--dry-run")...)
	require.ErrorIs(t, err, errProblems, "bad rows are exit code 1")
	require.Contains(t, says, "Work mail → email")
	require.Contains(t, says, `"traits":{"seats":1.5}`)
	require.Contains(t, says, "4 rows: 2 would be accepted, 2 of people who are new, 2 would be rejected. This was a dry run")
	says, _, err = p.importCLI(t, p.base, args...)
	require.ErrorIs(t, err, errProblems)
	require.Contains(t, says, file+":3: Work mail: This is no e-mail address.\n")
	require.Contains(t, says, file+":4: Seats: This is no number")
	require.Contains(t, says, "4 rows: 2 accepted, 2 new contacts, 2 rejected\n")
	require.NotContains(t, says, "secret-value")

	says, _, err = p.importCLI(t, p.base, file, "--map", "user_id=Nothing")
	require.ErrorIs(t, err, errProblems)
	require.Contains(t, says, file+":1: Nothing: The file has no column of this name.\n")
	require.Contains(t, says, "nothing was imported")
	says, _, err = p.importCLI(t, p.base, file, "--map", "nowhere=Id")
	require.ErrorIs(t, err, errProblems)
	require.Contains(t, says, "--map nowhere=Id: A column goes to")

	target := filepath.Join(t.TempDir(), "out.csv")
	export, err := parseExport([]string{target, "--traits", "seats"})
	require.NoError(t, err)
	export.client = apiClient{base: p.base, key: p.config.AdminKey}
	var out bytes.Buffer
	require.NoError(t, export.run(t.Context(), &out))
	rows, err := csv.NewReader(open(t, target)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Equal(t, "seats", rows[0][len(rows[0])-1])
	export.segment = "nothing"
	export.file = filepath.Join(t.TempDir(), "none.csv")
	require.ErrorContains(t, export.run(t.Context(), &out), "not_found")
	left, err := os.ReadDir(filepath.Dir(export.file))
	require.NoError(t, err)
	require.Empty(t, left, "no half a file stays behind")
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path) //nolint:gosec // a test's own file
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestImportCommandLine(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"a", "b"}, {"a", "--map", "x"}, {"a", "--map", "=x"}, {"a", "--what"}, {"a", "--resume", "1", "--dry-run"}} {
		_, err := parseImport(args)
		require.ErrorIs(t, err, errUsage, "%v", args)
		_, err = parseExport(append(args, "--what"))
		require.ErrorIs(t, err, errUsage)
	}
	cmd, err := parseImport([]string{"--event", "Deal Won", "deals.csv", "--map", "user_id=a=b"})
	require.NoError(t, err)
	require.Equal(t, []string{"deals.csv", "deals.csv", "Deal Won"}, []string{cmd.file, cmd.name, cmd.event})
	require.Equal(t, []audience.ImportColumn{{Column: "a=b", To: "user_id"}}, cmd.mapping)
}

// events writes a file of n events of a few people.
func eventsFile(t *testing.T, n, people int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("user_id,n,note\n")
	for i := range n {
		fmt.Fprintf(&b, "u%d,%d,%s\n", i%people, i, strings.Repeat("x", 60))
	}
	return writeFile(t, "events.csv", b.String())
}

func countEvents(t *testing.T, database string) (n int) {
	t.Helper()
	query(t, database, "SELECT count(*) FROM events WHERE source = 'import'", nil, &n)
	return n
}

// The connection breaks again and again in the middle of the file: the command goes on by itself, and every row is there once.
func TestImportGoesOnWhenTheConnectionBreaks(t *testing.T) {
	t.Parallel()
	p := start(t)
	target, err := url.Parse(p.base)
	require.NoError(t, err)
	const rows = 20_000
	file := eventsFile(t, rows, 500)
	var uploads atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	flaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if n := uploads.Add(1); n <= 2 {
				r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, n*500_000), brokenReader{}))
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	defer flaky.Close()
	says, progress, err := p.importCLI(t, flaky.URL, file, "--event", "Seen")
	require.NoError(t, err, says)
	require.Contains(t, says, "20,000 rows: 20,000 accepted, 500 new contacts, 0 rejected")
	require.Contains(t, progress, "the connection broke, trying again")
	require.GreaterOrEqual(t, uploads.Load(), int64(3), "a try may come while the broken one is still being noticed")
	require.Equal(t, rows, countEvents(t, p.config.DatabaseURL))
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the line is dead") }

// The server is killed in the middle of an import, then the command is; the import goes on, and every row is there once.
func TestImportSurvivesKills(t *testing.T) {
	if testing.Short() {
		t.Skip("kills and restarts real processes: left out of -short")
	}
	t.Parallel()
	w := newWorld(t)
	w.start("api")
	p := w.product()
	const rows = 60_000
	file := eventsFile(t, rows, 1000)
	var said bytes.Buffer
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(w.dir, "throughline"), append([]string{"import", file}, args...)...) //nolint:gosec,noctx // the test's own binary; killed by the test
		cmd.Env = append(append([]string{}, w.env...), "PUBLIC_URL="+p.base)
		cmd.Stdout, cmd.Stderr = &said, &said
		require.NoError(t, cmd.Start())
		return cmd
	}
	first := run("--event", "Seen")
	t.Cleanup(func() { _ = first.Process.Kill() })
	atLeast := func(n int64) audience.Import {
		var found audience.Import
		eventually(t, fmt.Sprintf("%d rows are in", n), func() bool {
			page := admin[list[audience.Import]](t, p, "GET", "/v1/imports", "")
			if len(page.Data) > 0 {
				found = page.Data[0]
			}
			return found.Rows >= n
		})
		return found
	}
	atLeast(2_000)
	w.kill("api")
	w.start("api")
	current := atLeast(6_000)
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()
	require.Equal(t, audience.ImportRunning, admin[audience.Import](t, p, "GET", "/v1/imports/"+current.ID, "").State, "the kill came in the middle")
	said.Reset()
	second := run("--resume", current.ID)
	require.NoError(t, second.Wait(), said.String())
	require.Contains(t, said.String(), "60,000 rows: 60,000 accepted, 1,000 new contacts, 0 rejected")
	require.Equal(t, rows, countEvents(t, w.config.DatabaseURL))
}

// A million rows in flat memory. It takes minutes, so it runs when asked for.
func TestImportOfAMillionRowsIsFlat(t *testing.T) {
	if os.Getenv("BENCH_IMPORT") == "" {
		t.Skip("BENCH_IMPORT is not set: a million rows take minutes")
	}
	w := newWorld(t)
	w.start("api")
	p := w.product()
	rows := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("BENCH_IMPORT")); err == nil && n > 1 {
		rows = n
	}
	path := filepath.Join(t.TempDir(), "million.csv")
	f, err := os.Create(path) //nolint:gosec // a test's own file
	require.NoError(t, err)
	_, _ = fmt.Fprintln(f, "user_id,email,plan,seats,note")
	for i := range rows {
		_, _ = fmt.Fprintf(f, "u%d,u%d@example.test,trial,%d,%s\n", i, i, i%50, uuid.NewString())
	}
	require.NoError(t, f.Close())
	peak, done := int64(0), make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			peak = max(peak, resident(w.parts["api"].cmd.Process.Pid))
			time.Sleep(look) //nolint:forbidigo // the pause between two looks
		}
	}()
	began := time.Now()
	says, _, err := p.importCLI(t, p.base, path, "--map", "trait:seats:number=seats")
	took := time.Since(began)
	stop()
	<-done
	require.NoError(t, err, says)
	t.Logf("%d rows in %s: %.0f rows/s; the api's memory was %d MB at most", rows, took.Round(time.Second), float64(rows)/took.Seconds(), peak>>20)
	require.Less(t, peak, int64(200<<20))
}

var residentLine = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

func resident(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := residentLine.FindSubmatch(status)
	if m == nil {
		return 0
	}
	kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10
}

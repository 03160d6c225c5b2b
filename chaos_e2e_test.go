package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
)

// world is a private stack of child processes, each of which a test may kill and start again.
type world struct {
	t      *testing.T
	dir    string
	env    []string
	config config
	parts  map[string]*part
}

type part struct {
	args    []string // of devstack, or of the product
	product bool
	ready   string // the line that says so
	cmd     *exec.Cmd
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()                                 //nolint:errcheck // a test
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // a TCP listener
}

func newWorld(t *testing.T) *world {
	t.Helper()
	needStack(t)
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // PostgreSQL runs as another user
	for parent := filepath.Dir(dir); parent != os.TempDir() && parent != "/"; parent = filepath.Dir(parent) {
		require.NoError(t, os.Chmod(parent, 0o755)) //nolint:gosec // as above
	}
	binary := filepath.Join(dir, "throughline")
	build, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(build))

	database, temporal, ui, smtp, inbox, listen := freePort(t), freePort(t), freePort(t), freePort(t), freePort(t), freePort(t)
	w := &world{t: t, dir: dir, parts: map[string]*part{
		"postgres": {args: []string{"postgres", "--dir", filepath.Join(dir, "postgres"), "--port", database}, ready: "ready"},
		"temporal": {args: []string{"temporal", "--dir", filepath.Join(dir, "temporal"), "--port", temporal, "--ui-port", ui}, ready: "ready"},
		"inbox":    {args: []string{"inbox", "--dir", filepath.Join(dir, "inbox"), "--smtp-port", smtp, "--http-port", inbox}, ready: "ready"},
		"api":      {args: []string{"api"}, product: true, ready: "Throughline is running"},
		"worker":   {args: []string{"worker"}, product: true, ready: "waiting for journeys"},
	}}
	t.Cleanup(w.stop)
	w.start("postgres")
	env := map[string]string{
		"DATABASE_URL":     postgresURL(t, filepath.Join(dir, "postgres"), database),
		"TEMPORAL_ADDRESS": "127.0.0.1:" + temporal, "TEMPORAL_NAMESPACE": "throughline",
		"SMTP_URL": "smtp://127.0.0.1:" + smtp, "INBOX_URL": "http://127.0.0.1:" + inbox, "LISTEN": "127.0.0.1:" + listen,
		"THROUGHLINE_ADMIN_KEY": "admin-" + uuid.NewString(), "THROUGHLINE_WRITE_KEY": "write-" + uuid.NewString(), "LOG_LEVEL": "warn",
	}
	w.config, err = readConfig(func(name string) string { return env[name] })
	require.NoError(t, err)
	w.env = append(w.env, "PATH="+os.Getenv("PATH"), "HOME="+dir)
	for name, value := range env {
		w.env = append(w.env, name+"="+value)
	}
	return w
}

// product is how a test talks to the world's api.
func (w *world) product() *product {
	return &product{config: w.config, base: "http://" + w.config.Listen, http: &http.Client{Timeout: 10 * time.Second}}
}

func (w *world) start(names ...string) {
	w.t.Helper()
	for _, name := range names {
		p := w.parts[name]
		program := os.Getenv("DEVSTACK_BIN")
		if p.product {
			program = filepath.Join(w.dir, "throughline")
		}
		p.cmd = exec.Command(program, p.args...) //nolint:gosec,noctx // killed by the test itself
		p.cmd.Env, p.cmd.Dir = w.env, w.dir
		if !p.product {
			p.cmd.Env = os.Environ()
		}
		log, err := os.OpenFile(filepath.Join(w.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(w.t, err)
		p.cmd.Stderr = log
		out, err := p.cmd.StdoutPipe()
		require.NoError(w.t, err)
		require.NoError(w.t, p.cmd.Start())
		w.await(name, bufio.NewScanner(out))
	}
}

// await reads the part's output until it says that it is ready, and goes on reading so that it never blocks.
func (w *world) await(name string, out *bufio.Scanner) {
	w.t.Helper()
	p, ready := w.parts[name], make(chan bool, 1)
	go func() {
		said := false
		for out.Scan() {
			if !said && strings.Contains(out.Text(), p.ready) {
				said = true
				ready <- true
			}
		}
		if !said {
			ready <- false
		}
	}()
	select {
	case ok := <-ready:
		log, _ := os.ReadFile(filepath.Join(w.dir, name+".log"))
		require.True(w.t, ok, "%s ended before it was ready: %s", name, log)
	case <-time.After(2 * time.Minute):
		require.Fail(w.t, name+" was not ready in time")
	}
}

// kill ends parts at once, as a power cut would.
func (w *world) kill(names ...string) {
	w.t.Helper()
	for _, name := range names {
		p := w.parts[name]
		require.NoError(w.t, p.cmd.Process.Signal(syscall.SIGKILL))
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func (w *world) stop() {
	for _, name := range []string{"worker", "api", "temporal", "inbox", "postgres"} {
		p := w.parts[name]
		if p.cmd == nil {
			continue
		}
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		done := make(chan struct{})
		go func() { _ = p.cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(40 * time.Second):
			_ = p.cmd.Process.Kill()
		}
	}
	if w.t.Failed() {
		for name := range w.parts {
			if log, err := os.ReadFile(filepath.Join(w.dir, name+".log")); err == nil && len(log) > 0 {
				w.t.Logf("%s said:\n%s", name, log[max(0, len(log)-4000):])
			}
		}
	}
}

// postgresURL makes the address of a cluster that devstack keeps in dir.
func postgresURL(t *testing.T, dir, port string) string {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(dir, "password"))
	require.NoError(t, err)
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("throughline", strings.TrimSpace(string(password))),
		Host: "127.0.0.1:" + port, Path: "/throughline", RawQuery: "sslmode=disable",
	}
	return u.String()
}

// query reads one value.
func query(t *testing.T, database, sql string, args []any, out any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a test
	err = conn.QueryRow(t.Context(), sql, args...).Scan(out)
	if err != nil {
		require.ErrorIs(t, err, pgx.ErrNoRows)
	}
}

const twoMails = `
journey: twomails
enter: [{event: Signed Up}]
steps:
  - id: first
    send: {template: hello}
  - id: pause
    wait: %s
  - id: second
    send: {template: hello}
  - id: listen
    wait_for:
      - {event: Project Created, go: done}
      - {after: 30d, go: done}
  - id: done
    exit: finished
`

// Everything is killed in the middle of journeys, one part after the other and then all at once: journeys go on, timers
// fire late rather than never, no event that was acknowledged is lost, nobody gets a mail twice.
func TestRestartOfEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("kills and restarts real servers for a minute or two: left out of -short")
	}
	t.Parallel()
	w := newWorld(t)
	w.start("temporal", "inbox", "api", "worker")
	p := w.product()
	p.template(t, "hello", "Hello")
	p.publish(t, fmt.Sprintf(twoMails, "5s"))

	people := map[string]person{}
	enter := func() {
		for range 5 {
			who := newPerson()
			people[p.identify(t, who, nil)] = who
			p.track(t, who, "Signed Up", nil)
		}
	}
	enter()
	for _, victims := range [][]string{{"worker"}, {"temporal"}, {"api"}, {"postgres"}, {"worker", "api", "temporal", "postgres"}} {
		w.kill(victims...)
		if !contains(victims, "api") && !contains(victims, "postgres") {
			enter() // the api takes events in while the rest is down
		}
		for _, name := range []string{"postgres", "temporal", "api", "worker"} {
			if contains(victims, name) {
				w.start(name)
			}
		}
		eventually(t, "the api answers again", func() bool { return healthy(p) })
		enter()
	}
	for id, who := range people {
		eventually(t, "the second mail is sent", func() bool {
			m := p.messageAt(t, id, "second")
			return m != nil && m.State.Final()
		})
		p.track(t, who, "Project Created", nil)
	}
	unknown := 0
	for id, who := range people {
		require.Equal(t, "finished", p.ended(t, id).Reason)
		mails := caughtAt(t, w.config.InboxURL, who.email)
		ids := map[string]bool{}
		for _, m := range mails {
			require.False(t, ids[m.MessageID], "a mail arrived twice")
			ids[m.MessageID] = true
		}
		for _, step := range []string{"first", "second"} {
			m := p.messageAt(t, id, step)
			require.NotNil(t, m)
			switch m.State {
			case email.Sent:
				require.True(t, ids[m.MessageID], "a mail that was sent must have arrived")
			case email.Unknown:
				unknown++
			case email.Queued, email.Sending, email.Deferred, email.Rejected, email.Skipped, email.Failed:
				require.Fail(t, "unexpected state "+string(m.State))
			}
		}
	}
	t.Logf("5 rounds of SIGKILL, %d contacts, %d messages, 0 duplicates, 0 lost, %d unknown", len(people), 2*len(people), unknown)
}

func healthy(p *product) bool {
	resp, err := p.http.Get(p.base + "/readyz") //nolint:noctx // a test
	if err != nil {
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // a test
	return resp.StatusCode == http.StatusOK
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// A worker is killed at five points of a send. No marketing mail goes out twice, and nothing is lost without a state that
// can be seen. The points are reached without any hook in the product: by a lock that the test holds, and by a mail
// server that stops talking.
func TestWorkerKilledDuringSend(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a worker and waits for its lease to run out: left out of -short")
	}
	t.Parallel()
	w := newWorld(t)
	w.start("temporal", "inbox", "api", "worker")
	p := w.product()
	p.template(t, "hello", "Hello")
	p.publish(t, fmt.Sprintf(twoMails, "1s"))

	points := []killPoint{
		{name: "before the claim", state: email.Sent, arrived: 1},
		{name: "claimed, before the data", at: "rcpt", action: "hang", state: email.Unknown},
		{name: "in the middle of the data", at: "mid_data", action: "hang", state: email.Unknown},
		{name: "after the dot, before the reply", at: "after_dot", action: "hang", state: email.Unknown, arrived: 1},
		{name: "after the reply, before the ledger", at: "after_dot", action: "delay", state: email.Unknown, arrived: 1},
	}
	worker := w.parts["worker"].cmd.Process
	require.NoError(t, worker.Signal(syscall.SIGSTOP))
	t.Cleanup(func() { _ = worker.Signal(syscall.SIGCONT) }) // or it could not stop
	for i := range points {
		pt := &points[i]
		pt.who = newPerson()
		pt.id = p.identify(t, pt.who, nil)
		if pt.at != "" {
			script := map[string]any{"at": pt.at, "action": pt.action, "times": 1, "rcpt": pt.who.email}
			script["seconds"] = map[string]int{"hang": 600, "delay": 5}[pt.action]
			switch pt.at {
			case "mid_data":
				script["bytes"] = 200
			case "after_dot":
				script["keep"] = true
			}
			misbehave(t, w.config.InboxURL, script)
		}
		p.track(t, pt.who, "Signed Up", nil)
	}
	releaseContact := hold(t, w.config.DatabaseURL, "SELECT 1 FROM contacts WHERE id = $1 FOR UPDATE", points[0].id)
	require.NoError(t, worker.Signal(syscall.SIGCONT))
	eventually(t, "four sends are under way", func() bool { return sending(t, p, points[1:]) })
	last := &points[4]
	releaseLedger := hold(t, w.config.DatabaseURL, "SELECT 1 FROM messages WHERE contact_id = $1 FOR UPDATE", last.id)
	eventually(t, "the server has taken the last one, and each fault was met", func() bool {
		mails := caughtAt(t, w.config.InboxURL, last.who.email)
		return len(mails) == 1 && mails[0].Replied && faultsMet(t, w.config.InboxURL) == 4
	})
	eventually(t, "the worker waits to write the last one down", func() bool {
		waiting := 0
		query(t, w.config.DatabaseURL, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%update messages%'", nil, &waiting)
		return waiting == 1
	})
	w.kill("worker")
	// What the worker had asked PostgreSQL for would still be done, now that the locks go: that would be a smaller loss.
	ended := 0
	query(t, w.config.DatabaseURL, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", nil, &ended)
	require.GreaterOrEqual(t, ended, 1, "the worker waited for the ledger, and most of the time for the contact")
	releaseContact()
	releaseLedger()
	w.start("worker")

	for _, pt := range points {
		var m *email.Message
		eventually(t, pt.name+": the message's fate is settled", func() bool {
			m = p.messageAt(t, pt.id, "first")
			return m != nil && m.State.Final()
		})
		require.Equal(t, pt.state, m.State, pt.name)
		arrived := 0
		for _, mail := range caughtAt(t, w.config.InboxURL, pt.who.email) {
			if mail.MessageID == m.MessageID { // the second step's mail has another one
				arrived++
			}
		}
		require.Equal(t, pt.arrived, arrived, pt.name)
		if pt.state == email.Unknown {
			require.Equal(t, email.ReasonFateUnknown, m.Reason, pt.name)
		}
		eventually(t, pt.name+": the journey goes on", func() bool { return p.messageAt(t, pt.id, "second") != nil })
	}
}

// killPoint is a moment of a send at which the worker is killed, and what must be seen afterwards.
type killPoint struct {
	name, at, action string
	state            email.State
	arrived          int // mails of the first step that the server has
	who              person
	id               string
}

func sending(t *testing.T, p *product, points []killPoint) bool {
	t.Helper()
	for _, pt := range points {
		if m := p.messageAt(t, pt.id, "first"); m == nil || m.State != email.Sending {
			return false
		}
	}
	return true
}

// faultsMet counts the fault scripts that a conversation has run into.
func faultsMet(t *testing.T, inbox string) int {
	t.Helper()
	var faults []struct {
		Hits int `json:"hits"`
	}
	getJSON(t, inbox+"/api/faults", &faults)
	met := 0
	for _, f := range faults {
		met += min(f.Hits, 1)
	}
	return met
}

// hold takes a lock in a transaction of its own and keeps it until it is released.
func hold(t *testing.T, database, sql string, args ...any) (release func()) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(ctx) })
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, sql, args...)
	require.NoError(t, err)
	return func() { require.NoError(t, tx.Rollback(ctx)) }
}

package postgres

import (
	"context"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// The cluster under test runs in a process of its own, so that it can be killed like one.
func TestMain(m *testing.M) {
	if os.Getenv("POSTGRES_TEST_DIR") != "" {
		os.Exit(serveForTest())
	}
	os.Exit(m.Run())
}

func serveForTest() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	port, err := strconv.Atoi(os.Getenv("POSTGRES_TEST_PORT"))
	if err != nil {
		return 2
	}
	o := Options{Dir: os.Getenv("POSTGRES_TEST_DIR"), Port: port, ThrowAway: true}
	if err := Run(ctx, o, func() { _, _ = os.Stdout.WriteString("ready\n") }); err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		return 1
	}
	return 0
}

// folder is one that root's unprivileged stand-in can walk into: t.TempDir is closed to others.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "devstack-postgres-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a cluster in another process and returns when it is ready.
func start(t *testing.T, dir string, port int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POSTGRES_TEST_DIR="+dir, "POSTGRES_TEST_PORT="+strconv.Itoa(port))
	var errText strings.Builder
	cmd.Stderr = &errText
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line := make([]byte, 6)
	_, err = out.Read(line)
	if err != nil {
		_ = cmd.Wait()
		require.NoError(t, err, errText.String())
	}
	require.Equal(t, "ready\n", string(line))
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func connect(t *testing.T, dir string, port int) *pgx.Conn {
	t.Helper()
	target, err := URL(dir, port)
	require.NoError(t, err)
	conn, err := pgx.Connect(t.Context(), target)
	require.NoError(t, err)
	return conn
}

func TestRunServesAsThePlainRoleAndStops(t *testing.T) {
	t.Parallel()
	dir, port := folder(t), freePort(t)
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- Run(ctx, Options{Dir: dir, Port: port, ThrowAway: true}, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		require.NoError(t, err)
	}

	conn := connect(t, dir, port)
	var user, db, lower, fsync string
	var super bool
	require.NoError(t, conn.QueryRow(ctx, `select current_user, current_database(), lower('É'), current_setting('fsync'),
		(select rolsuper from pg_roles where rolname = current_user)`).Scan(&user, &db, &lower, &fsync, &super))
	require.Equal(t, []string{"throughline", "throughline", "é", "off"}, []string{user, db, lower, fsync})
	require.False(t, super, "the product must not lean on a superuser")
	_, err := conn.Exec(ctx, "create table t (x int); create extension citext")
	require.NoError(t, err, "the role owns its database")
	require.NoError(t, conn.Close(ctx))

	cancel()
	require.NoError(t, <-ended)
	_, err = net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(port), time.Second)
	require.Error(t, err, "the cluster is gone")
}

func TestThePasswordNeedsEscaping(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	secret, err := ensureSecret(filepath.Join(dir, "password"))
	require.NoError(t, err)
	for _, c := range `@:/?#[]%&+= '\"` {
		require.Contains(t, secret, string(c))
	}
	target, err := URL(dir, 5432)
	require.NoError(t, err)
	u, err := url.Parse(target)
	require.NoError(t, err)
	got, _ := u.User.Password()
	require.Equal(t, secret, got)
	require.Equal(t, "127.0.0.1:5432", u.Host)
	info, err := os.Stat(filepath.Join(dir, "password"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestRestartAfterSIGKILLKeepsData(t *testing.T) {
	t.Parallel()
	dir, port := folder(t), freePort(t)
	first := start(t, dir, port)
	conn := connect(t, dir, port)
	_, err := conn.Exec(t.Context(), "create table kept (x int); insert into kept values (42)")
	require.NoError(t, err)
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()

	start(t, dir, port)
	conn = connect(t, dir, port)
	var x int
	require.NoError(t, conn.QueryRow(t.Context(), "select x from kept").Scan(&x))
	require.Equal(t, 42, x)
}

func TestRestartAfterTheWholeClusterWasKilled(t *testing.T) {
	t.Parallel()
	dir, port := folder(t), freePort(t)
	first := start(t, dir, port)
	// A busy backend does not notice that its postmaster is gone.
	conn := connect(t, dir, port)
	busy := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), "select count(*) from generate_series(1, 10000000000)")
		busy <- err
	}()
	watch := connect(t, dir, port)
	require.Eventually(t, func() bool {
		var running int
		err := watch.QueryRow(t.Context(), "select count(*) from pg_stat_activity where state = 'active' and pid = $1",
			conn.PgConn().PID()).Scan(&running)
		return err == nil && running == 1
	}, 10*time.Second, 10*time.Millisecond)
	pid, _, err := readPIDFile(filepath.Join(dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Error(t, first.Wait(), "the parent says that its cluster died")
	require.FileExists(t, filepath.Join(dir, "data", "postmaster.pid"), "a stale one, as after a crash")

	start(t, dir, port)
	require.Error(t, <-busy, "the orphaned backend was ended")
}

func TestAnOrphanIsStopped(t *testing.T) {
	t.Parallel()
	dir, port := folder(t), freePort(t)
	// A postmaster without the parent that would take it along.
	ctx := t.Context()
	c, err := open(ctx, Options{Dir: dir, Port: port, ThrowAway: true})
	require.NoError(t, err)
	require.NoError(t, c.initialise(ctx))
	orphan := exec.Command(c.bin.path("postgres"), c.settings()...)
	orphan.Dir = c.data
	orphan.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.cred}
	var said strings.Builder
	orphan.Stderr = &said
	require.NoError(t, orphan.Start())
	gone := make(chan error, 1)
	go func() { gone <- orphan.Wait() }()
	ended := make(chan error, 1)
	require.NoError(t, c.awaitUsable(ctx, ended))

	start(t, dir, freePort(t))
	require.NoError(t, <-gone)
	require.Contains(t, said.String(), "received fast shutdown request", "in good order, not by force")
}

func TestAStrangerWithTheOrphansNumberIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	data := filepath.Join(dir, "data")
	require.NoError(t, os.Mkdir(data, 0o700))
	stranger := exec.Command("sleep", "600")
	require.NoError(t, stranger.Start())
	t.Cleanup(func() { _ = stranger.Process.Kill(); _ = stranger.Wait() })
	pid := strconv.Itoa(stranger.Process.Pid)
	require.NoError(t, os.WriteFile(filepath.Join(data, "postmaster.pid"), []byte(pid+"\n"+data+"\n"), 0o600))

	c := &cluster{data: data}
	require.NoError(t, c.stopOrphans(t.Context()))
	require.NoError(t, syscall.Kill(stranger.Process.Pid, 0), "still running")
}

func TestParseMajor(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 18beta1\n":                        18,
		"postgres (PostgreSQL) 16\n":                             16,
	} {
		got, err := parseMajor(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	_, err := parseMajor("postgres")
	require.Error(t, err)
}

func TestCandidatesPreferPathThenTheNewest(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	install := func(dir string, programs ...string) string {
		full := filepath.Join(root, dir)
		require.NoError(t, os.MkdirAll(full, 0o755))
		for _, p := range programs {
			require.NoError(t, os.WriteFile(filepath.Join(full, p), nil, 0o755))
		}
		return full
	}
	chosen := install("mine", "initdb", "postgres")
	clientOnly := install("client", "psql")
	install("lib/9/bin", "initdb", "postgres")
	install("lib/10/bin", "initdb", "postgres")
	install("lib/16/bin", "initdb", "postgres")
	install("lib/17/bin", "psql") // client package only

	got := candidates(clientOnly+string(os.PathListSeparator)+chosen, []string{filepath.Join(root, "lib/*/bin")})
	require.Equal(t, []binaries{
		binaries(chosen), binaries(filepath.Join(root, "lib/16/bin")),
		binaries(filepath.Join(root, "lib/10/bin")), binaries(filepath.Join(root, "lib/9/bin")),
	}, got)
}

func TestRefuseDefaultCluster(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "postgresql-common")
	require.NoError(t, refuseDefaultCluster(dir))
	file := filepath.Join(dir, "createcluster.conf")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "create_main_cluster = false\n", string(text))

	require.NoError(t, os.WriteFile(file, []byte("# the owner's\n"), 0o644))
	require.NoError(t, refuseDefaultCluster(dir))
	text, err = os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "# the owner's\n", string(text), "never overwritten")
}

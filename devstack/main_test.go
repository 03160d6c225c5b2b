package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/smtp"
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
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
)

// The test binary is the program as well: it starts itself, and so do its parts.
func TestMain(m *testing.M) {
	if os.Getenv("DEVSTACK_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// program is the devstack with arguments, not yet started.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "DEVSTACK_TEST_MAIN=1")
	return cmd
}

// kept is a folder for a kept stack that PostgreSQL's unprivileged user can reach.
func kept(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "devstack-test-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// up is a running stack around a command that prints its environment and waits for the end of its input.
type up struct {
	t     *testing.T
	cmd   *exec.Cmd
	env   map[string]string
	input io.Closer
	said  *strings.Builder
}

func start(t *testing.T, args ...string) up {
	t.Helper()
	cmd := program(t, append(append([]string{"run"}, args...), "--", "sh", "-c", "env; echo ---; exec cat")...)
	u := up{t: t, cmd: cmd, env: map[string]string{}, said: &strings.Builder{}}
	cmd.Stderr = u.said
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	u.input = input
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = input.Close(); _ = cmd.Wait() })
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != "---" {
		name, value, _ := strings.Cut(lines.Text(), "=")
		u.env[name] = value
	}
	if lines.Text() != "---" {
		_ = cmd.Wait()
		require.Fail(t, "the stack did not start", u.said.String())
	}
	return u
}

// end ends the command and waits for the teardown.
func (u up) end() {
	u.t.Helper()
	require.NoError(u.t, u.input.Close())
	require.NoError(u.t, u.cmd.Wait(), u.said.String())
}

// kill ends the devstack the hard way.
func (u up) kill() {
	u.t.Helper()
	require.NoError(u.t, u.cmd.Process.Kill())
	_ = u.cmd.Wait()
}

func (u up) temporal() workflowservice.WorkflowServiceClient {
	u.t.Helper()
	conn, err := grpc.NewClient(u.env["TEMPORAL_ADDRESS"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(u.t, err)
	u.t.Cleanup(func() { _ = conn.Close() })
	return workflowservice.NewWorkflowServiceClient(conn)
}

// leaveTraces puts one fact into each part.
func (u up) leaveTraces() (runID string) {
	u.t.Helper()
	ctx := u.t.Context()
	conn, err := pgx.Connect(ctx, u.env["DATABASE_URL"])
	require.NoError(u.t, err)
	_, err = conn.Exec(ctx, "create table trace (x int); insert into trace values (7)")
	require.NoError(u.t, err)
	require.NoError(u.t, conn.Close(ctx))
	require.NoError(u.t, smtp.SendMail(strings.TrimPrefix(u.env["SMTP_URL"], "smtp://"), nil,
		"from@x.example", []string{"to@x.example"}, []byte("Subject: trace\r\n\r\nhi\r\n")))

	payload := func(kind, text string) *commonpb.Payload {
		return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain"), "type": []byte(kind)}, Data: []byte(text)}
	}
	started, err := u.temporal().StartWorkflowExecution(ctx, &workflowservice.StartWorkflowExecutionRequest{
		Namespace: "throughline", WorkflowId: "trace", RequestId: "trace-1",
		WorkflowType: &commonpb.WorkflowType{Name: "Trace"}, TaskQueue: &taskqueuepb.TaskQueue{Name: "nobody"},
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{
			"LifecycleStage": payload("Keyword", `"trial"`), "LeadScore": payload("Int", "41"),
			"HandoffStatus": payload("Keyword", `"open"`), "Owner": payload("Keyword", `"ana"`),
			"DueAt": payload("Datetime", `"2026-11-23T00:00:00Z"`), "Journeys": payload("KeywordList", `["a","b"]`),
		}},
	})
	require.NoError(u.t, err)
	return started.GetRunId()
}

func (u up) requireTraces(runID string) {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, u.env["DATABASE_URL"])
	require.NoError(u.t, err)
	var x int
	require.NoError(u.t, conn.QueryRow(ctx, "select x from trace").Scan(&x))
	require.Equal(u.t, 7, x)
	require.NoError(u.t, conn.Close(ctx))

	res, err := http.Get(u.env["INBOX_URL"] + "/api/messages?to=to@x.example")
	require.NoError(u.t, err)
	defer res.Body.Close()
	var mails []struct{ Subject string }
	require.NoError(u.t, json.NewDecoder(res.Body).Decode(&mails))
	require.Equal(u.t, []struct{ Subject string }{{"trace"}}, mails)

	u.requireWorkflow(ctx, runID)
}

func (u up) requireWorkflow(ctx context.Context, runID string) {
	u.t.Helper()
	require.Equal(u.t, runID, u.describe(ctx))
	list := &workflowservice.ListWorkflowExecutionsRequest{Namespace: "throughline", Query: `LifecycleStage = "trial" ` +
		`AND LeadScore > 40 AND HandoffStatus = "open" AND Owner = "ana" AND DueAt < "2027-01-01T00:00:00Z" AND Journeys = "b"`}
	require.Eventually(u.t, func() bool { // visibility is written by a queue
		found, err := u.temporal().ListWorkflowExecutions(ctx, list)
		return err == nil && len(found.GetExecutions()) == 1
	}, 20*time.Second, 50*time.Millisecond)
	ns, err := u.temporal().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: "throughline"})
	require.NoError(u.t, err)
	require.Equal(u.t, durationpb.New(72*time.Hour).AsDuration(), ns.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
}

// describe returns the run of the workflow that leaveTraces started, "" while the server can't say.
func (u up) describe(ctx context.Context) string {
	w, err := u.temporal().DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: "throughline", Execution: &commonpb.WorkflowExecution{WorkflowId: "trace"},
	})
	if err != nil || w.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return ""
	}
	return w.GetWorkflowExecutionInfo().GetExecution().GetRunId()
}

func TestThrowAwayLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	u := start(t, "--throw-away")
	dir := u.env["DEVSTACK_DIR"]
	u.requireTraces(u.leaveTraces())
	require.Equal(t, "throughline", u.env["TEMPORAL_NAMESPACE"])
	require.FileExists(t, u.env["DEVSTACK_BIN"])
	require.Regexp(t, `^thr_live_[\w-]{43}$`, u.env["THROUGHLINE_ADMIN_KEY"])
	require.Regexp(t, `^thr_live_[\w-]{43}$`, u.env["THROUGHLINE_WRITE_KEY"])
	res, err := http.Get(u.env["TEMPORAL_UI_URL"] + "/namespaces/throughline/workflows")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)

	u.end()
	require.NoDirExists(t, dir)
	for _, name := range []string{"TEMPORAL_ADDRESS"} {
		_, err := net.DialTimeout("tcp", u.env[name], time.Second)
		require.Error(t, err)
	}
}

func TestAKeptStackSurvivesAnOrderlyEndAndAKill(t *testing.T) {
	t.Parallel()
	dir := kept(t)
	first := start(t, "--dir", dir, "--ports", "free")
	run := first.leaveTraces()
	first.end()

	second := start(t, "--dir", dir, "--ports", "free")
	second.requireTraces(run)
	require.Equal(t, first.env["THROUGHLINE_ADMIN_KEY"], second.env["THROUGHLINE_ADMIN_KEY"])
	second.kill() // its parts and its command are told to end by the kernel

	began := time.Now()
	third := start(t, "--dir", dir, "--ports", "free")
	require.Less(t, time.Since(began), 20*time.Second, "a killed server's ring members are not waited for")
	third.requireTraces(run)
	third.end()
}

func TestAPartThatDiesIsStartedAgain(t *testing.T) {
	t.Parallel()
	u := start(t, "--throw-away")
	run := u.leaveTraces()
	for _, part := range []string{"temporal", "inbox", "postgres"} {
		text, err := os.ReadFile(filepath.Join(u.env["DEVSTACK_DIR"], part+".pid"))
		require.NoError(t, err)
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		require.NoError(t, err)
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	require.Eventually(t, func() bool { return u.describe(ctx) == run }, 20*time.Second, 100*time.Millisecond)
	require.Eventually(t, func() bool {
		conn, err := pgx.Connect(ctx, u.env["DATABASE_URL"])
		if err == nil {
			_ = conn.Close(ctx)
		}
		return err == nil
	}, 60*time.Second, 100*time.Millisecond)
	u.requireTraces(run)
	u.end()
	require.Contains(t, u.said.String(), "temporal ended (signal: killed); starting it again")
	require.Contains(t, u.said.String(), "postgres is up again")
}

func TestTheCommandsExitCodeAndEnvironmentWin(t *testing.T) {
	t.Parallel()
	workdir := t.TempDir()
	cmd := program(t, "run", "--throw-away", "--workdir", workdir, "--", "sh", "-c", `pwd; echo "$THROUGHLINE_WRITE_KEY"; exit 7`)
	cmd.Env = append(cmd.Env, "THROUGHLINE_WRITE_KEY=mine")
	out, err := cmd.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 7, exit.ExitCode())
	require.Equal(t, workdir+"\nmine\n", string(out))
}

func TestASignalReachesTheCommandOnce(t *testing.T) {
	t.Parallel()
	// A group of its own: a Ctrl-C in the terminal reaches devstack only, and devstack hands it on.
	script := `[ "$(cut -d" " -f5 /proc/$$/stat)" = $$ ] && echo alone; trap 'echo int' INT; trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done`
	cmd := program(t, "run", "--throw-away", "--", "bash", "-c", script)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	expect := func(want string) { require.True(t, lines.Scan()); require.Equal(t, want, lines.Text()) }
	expect("alone")
	expect("up")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	expect("int")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	expect("bye")
	require.False(t, lines.Scan(), "nothing came twice")
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, 3, exit.ExitCode())
}

func TestOneStackAFolder(t *testing.T) {
	t.Parallel()
	dir := kept(t)
	u := start(t, "--dir", dir, "--ports", "free")
	out, err := program(t, "run", "--dir", dir, "--ports", "free", "--", "true").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "a stack is already running on "+dir+" (process "+strconv.Itoa(u.cmd.Process.Pid)+")")
	u.end()
}

func TestATakenPortIsNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	for variable, what := range map[string]string{
		"PORT_TEMPORAL": "the Temporal server", "PORT_TEMPORAL_UI": "the Temporal UI", "PORT_INBOX": "the inbox page",
		"PORT_SMTP": "the inbox's SMTP server", "PORT_POSTGRES": "PostgreSQL",
	} {
		cmd := program(t, "run", "--throw-away", "--", "true")
		cmd.Env = append(cmd.Env, variable+"="+port)
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Equal(t, "devstack: port "+port+" is taken, and "+what+" wants it: stop what listens there, or set "+
			variable+" to another port\n", string(out))
	}
}

func TestAPartThatCantStartSaysWhy(t *testing.T) {
	t.Parallel()
	dir := kept(t)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "postgres", "data"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "postgres", "data", "PG_VERSION"), []byte("8\n"), 0o644))
	out, err := program(t, "run", "--dir", dir, "--ports", "free", "--", "true").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "postgres did not start (exit status 1)")
	require.Contains(t, string(out), "the data folder was made by PostgreSQL 8, which is not on this machine")
}

func TestWrongUseIsExplained(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run"}, "which command?"},
		{[]string{"run", "--ports", "some", "--", "true"}, "--ports is default or free"},
		{[]string{"run", "--throw-away", "--", "/no/such/program"}, "start the command"},
		{[]string{"run", "--temporal-set", "x", "--", "true"}, "name=value"},
		{[]string{"postgres"}, "--dir DIR"},
		{[]string{"what"}, "devstack runs real infrastructure"},
	} {
		out, err := program(t, c.args...).CombinedOutput()
		require.Error(t, err, c.args)
		require.Contains(t, string(out), c.want)
	}
}

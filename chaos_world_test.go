package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
)

// The send path in child processes that are killed for real: the test binary runs itself again, as a worker that performs sends and nothing
// else. The points at which it dies are reached from outside, by the mail catcher, which says how far a conversation is, and by locks in
// PostgreSQL. The product has no hook for it.

// sendOrder is what a child is told to do. It goes through its standard input.
type sendOrder struct {
	Database, SMTP string
	Lease, Dot     time.Duration
	AtOnce         int
	Sends          []activities.EffectInput
}

// chaosWorld is a database, a mail catcher and an api, all of a row's own.
type chaosWorld struct {
	*product
	store *store.Store
	db    *pgxpool.Pool
	sends []activities.EffectInput // all that anybody was told to send
	kills int
}

const chaosJourney = `
journey: chaos-%[1]s
enter: [{event: Never}]
steps:
  - id: first
    send: {template: %[2]s, class: %[1]s}
  - id: done
    exit: finished
`

// holdLedger lets a test hold whoever records that a mail was sent: at the statement (advisory lock 1), or at the commit (2).
const holdLedger = `
CREATE FUNCTION hold_statement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;
CREATE FUNCTION hold_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(2); RETURN NULL; END $$;
CREATE TRIGGER hold_statement BEFORE UPDATE ON messages FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION hold_statement();
CREATE CONSTRAINT TRIGGER hold_commit AFTER UPDATE ON messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION hold_commit();`

func newChaosWorld(t *testing.T) *chaosWorld {
	t.Helper()
	caught, conf := newCatcher(t), testConfig(t)
	conf.SMTPURL, conf.InboxURL = caught.smtp, caught.inbox
	w := &chaosWorld{product: startRole(t, conf, "api")}
	var err error
	w.store, err = store.Open(t.Context(), conf.DatabaseURL)
	require.NoError(t, err)
	t.Cleanup(w.store.Close)
	w.db, err = pgxpool.New(t.Context(), conf.DatabaseURL)
	require.NoError(t, err)
	t.Cleanup(w.db.Close)
	_, err = w.db.Exec(t.Context(), holdLedger)
	require.NoError(t, err)
	w.template(t, "hello", "Hello")
	for _, class := range []email.Class{email.Marketing, email.Transactional} {
		w.publish(t, fmt.Sprintf(chaosJourney, class, "hello"))
	}
	return w
}

// add makes contacts that are in a journey, and the sends of its only mail. address is given the number of each.
func (w *chaosWorld) add(t *testing.T, class email.Class, n int, address func(int) string) []activities.EffectInput {
	t.Helper()
	now := time.Now()
	batch := make([]audience.Incoming, n)
	for i := range batch {
		batch[i] = audience.Incoming{Source: "chaos", MessageID: uuid.NewString(), Type: audience.TypeIdentify, UserID: uuid.NewString(), OccurredAt: now, Traits: map[string]any{"email": address(i)}}
	}
	accepted, err := w.store.Ingest(t.Context(), now, batch)
	require.NoError(t, err)
	sends := make([]activities.EffectInput, n)
	for i, a := range accepted {
		e, _, err := w.store.Enroll(t.Context(), a.ContactID, "chaos-"+string(class), "", now, func(journey.Version, *journey.Enrollment) (bool, string) { return true, "" })
		require.NoError(t, err)
		sends[i] = activities.EffectInput{Seq: e.EnteredSeq, Ref: activities.StepRef{
			ContactID: a.ContactID, EnrollmentID: e.ID, Journey: e.Journey, Version: e.Version, Hash: e.Hash, Step: "first", Visit: 1,
		}}
	}
	w.sends = append(w.sends, sends...)
	return sends
}

// anybody is an address that nobody else has.
func anybody(int) string { return newPerson().email }

// child is a worker that performs sends.
type child struct {
	cmd  *exec.Cmd
	done chan error
}

func (w *chaosWorld) child(t *testing.T, sends []activities.EffectInput, change ...func(*sendOrder)) *child {
	t.Helper()
	order := sendOrder{Database: w.config.DatabaseURL, SMTP: w.config.SMTPURL, Lease: 2 * time.Second, Dot: time.Minute, AtOnce: 4, Sends: sends}
	for _, f := range change {
		f(&order)
	}
	program, err := os.Executable()
	require.NoError(t, err)
	c := &child{cmd: exec.CommandContext(t.Context(), program, "-test.run=^TestSendingChild$"), done: make(chan error, 1)} //nolint:gosec // this program
	in, err := json.Marshal(order)
	require.NoError(t, err)
	c.cmd.Env = append(os.Environ(), "SENDING_CHILD=1")
	c.cmd.Stdin = strings.NewReader(string(in))
	said := &strings.Builder{}
	c.cmd.Stdout, c.cmd.Stderr = said, said
	require.NoError(t, c.cmd.Start())
	go func() {
		err := c.cmd.Wait()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, said)
		}
		c.done <- err
	}()
	return c
}

// finish waits until a child has done all of its sends.
func (c *child) finish(t *testing.T) {
	t.Helper()
	select {
	case err := <-c.done:
		require.NoError(t, err)
	case <-time.After(patience):
		require.Fail(t, "a child does not end")
	}
}

func (w *chaosWorld) kill(t *testing.T, c *child) {
	t.Helper()
	w.kills++
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGKILL))
	<-c.done
}

// waiting counts the sessions of this database that wait for a lock.
func (w *chaosWorld) waiting(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, w.db.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&n))
	return n
}

// hold takes a lock until it is released.
func (w *chaosWorld) hold(t *testing.T, sql string, args ...any) (release func()) {
	t.Helper()
	tx, err := w.db.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
	return func() {
		if err := tx.Rollback(t.Context()); !errors.Is(err, pgx.ErrTxClosed) {
			require.NoError(t, err)
		}
	}
}

// hits counts how often faults have struck.
func (w *chaosWorld) hits(t *testing.T) (n int) {
	t.Helper()
	var faults []struct {
		Hits int `json:"hits"`
	}
	getJSON(t, w.config.InboxURL+"/api/faults", &faults)
	for _, f := range faults {
		n += f.Hits
	}
	return n
}

func (w *chaosWorld) noFaults(t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, w.config.InboxURL+"/api/faults", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

// TestSendingChild is no test: it is what a child runs.
func TestSendingChild(t *testing.T) {
	if os.Getenv("SENDING_CHILD") == "" {
		t.Skip("the process that other tests kill")
	}
	var order sendOrder
	in, err := io.ReadAll(bufio.NewReader(os.Stdin))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(in, &order))
	c, err := readConfig(func(name string) string {
		return map[string]string{"DATABASE_URL": order.Database, "SMTP_URL": order.SMTP, "LOG_LEVEL": "error"}[name]
	})
	require.NoError(t, err)
	c.Lease, c.SMTPTimeouts.Dot = order.Lease, order.Dot
	p, err := newProcess(t.Context(), c, quietLog())
	require.NoError(t, err)
	go p.paces.Run(t.Context())
	all, _ := p.activities()
	var group sync.WaitGroup
	slots := make(chan struct{}, order.AtOnce)
	for _, in := range order.Sends {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if err := performSend(all.Messages, in); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// performSend does what the workflow does with a send: the local attempt, and, where that is not the end, the patient part with its retries.
func performSend(m *activities.Messages, in activities.EffectInput) error {
	deadline := time.Now().Add(patience)
	for step := any(m.SendEmail); time.Now().Before(deadline); {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(quiet{})
		env := suite.NewTestActivityEnvironment()
		env.SetTestTimeout(patience)
		env.RegisterActivity(m)
		value, err := env.ExecuteActivity(step, in)
		var failed *temporal.ApplicationError
		switch {
		case errors.As(err, &failed) && !failed.NonRetryable():
			time.Sleep(max(failed.NextRetryDelay(), 50*time.Millisecond)) //nolint:forbidigo // as Temporal would
			continue
		case err != nil:
			return err
		}
		var result activities.EffectResult
		if err := value.Get(&result); err != nil {
			return err
		}
		if !result.Pending {
			return nil
		}
		step = m.AwaitDelivery
	}
	return context.DeadlineExceeded
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

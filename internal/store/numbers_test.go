package store_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
)

const counted = `{"journey":"counted","goal":{"event":"Paid"},"steps":[
	{"id":"hello","send":{"template":"hello"}},
	{"id":"nudge","split":[{"weight":1,"name":"short","go":"pause"},{"weight":1,"holdout":true,"go":"pause"}]},
	{"id":"pause","wait":"1d"},
	{"id":"done","exit":"finished"}]}`

// walker takes contacts through the journey above as the engine records it, and counts in plain Go what the numbers have to say.
type walker struct {
	t       *testing.T
	s       *store.Store
	chance  *rand.Rand
	now     time.Time
	steps   map[string]journey.StepCount
	ways    map[string]int64
	arms    [2]journey.VariantCount
	total   journey.Numbers
	ended   map[journey.ReasonCount]int64
	days    map[string]*journey.Day
	stopped int64    // mails that an exit event has stopped
	sent    []string // ids of mails that a transport has yet to send
}

func (w *walker) add(step string, change func(*journey.StepCount)) {
	count := w.steps[step]
	count.Step = step
	change(&count)
	w.steps[step] = count
}

func (w *walker) day(at time.Time) *journey.Day {
	key := at.UTC().Format(time.DateOnly)
	if w.days[key] == nil {
		w.days[key] = &journey.Day{Day: key}
	}
	return w.days[key]
}

// walk takes one contact as far as chance has it.
func (w *walker) walk() {
	at := w.now.Add(-time.Duration(w.chance.IntN(20*24)) * time.Hour)
	id, later := newContact(w.t, w.s), false
	inContact(w.t, w.s, id, func(ctx context.Context, tx *store.ContactTx) {
		e, _, err := tx.CreateEnrollment(ctx, journey.Enrollment{ID: uuid.Must(uuid.NewV7()).String(), ContactID: id, Journey: "counted", Version: 1, Hash: "hash", State: journey.Active, Step: "hello", EnteredAt: at})
		require.NoError(w.t, err)
		w.total.Entered++
		w.day(at).Entered++
		decide := func(step, kind, outcome string) {
			_, _, err := tx.RecordDecision(ctx, journey.Decision{EnrollmentID: e.ID, ContactID: id, Journey: "counted", StepID: step, Visit: 1, Kind: kind, Outcome: outcome, At: at})
			require.NoError(w.t, err)
			w.add(step, func(c *journey.StepCount) { c.Entered++ })
			if kind != "completed" {
				w.ways[step+" "+outcome]++
			}
		}
		if stopped := w.mail(ctx, tx, e, at); stopped {
			require.NoError(w.t, tx.UpdateEnrollment(ctx, e.ID, journey.Exited, "hello", "exit", nil, &at))
			w.ended[journey.ReasonCount{State: "exited", Reason: "exit"}]++
			return
		}
		arm := w.chance.IntN(2)
		decide("nudge", "split", strconv.Itoa(arm))
		w.arms[arm].Entered++
		end := func(state journey.EnrollmentState, reason string) {
			require.NoError(w.t, tx.UpdateEnrollment(ctx, e.ID, state, "pause", reason, nil, &at))
			if reason != "goal" {
				w.ended[journey.ReasonCount{State: string(state), Reason: reason}]++
			}
		}
		switch w.chance.IntN(5) {
		case 4:
			w.fail(ctx, tx, e, at)
			end(journey.Failed, "unknown_kind")
		case 0:
			state := []journey.EnrollmentState{journey.Waiting, journey.Active}[w.chance.IntN(2)]
			require.NoError(w.t, tx.UpdateEnrollment(ctx, e.ID, state, "pause", "", nil, nil))
			w.total.Active++
			w.add("pause", func(c *journey.StepCount) { c.Here++; c.Entered++ })
		case 1:
			decide("pause", "wait", "goal")
			end(journey.Completed, "goal")
			w.total.Converted++
			w.arms[arm].Converted++
			w.day(at).Converted++
		case 2:
			decide("pause", "wait", "next")
			decide("done", "completed", "completed")
			end(journey.Completed, "finished")
			if later = w.chance.IntN(2) == 0; later { // the goal after leaving counts for the arm
				w.arms[arm].Converted++
			}
		case 3:
			decide("pause", "wait", "exit")
			end(journey.Exited, "exit")
		}
	})
	if later {
		ingest(w.t, w.s, w.now, audience.Incoming{Source: "test", MessageID: uuid.NewString(), Type: audience.TypeSignal, ContactID: id, Name: "Paid", OccurredAt: w.now})
	}
}

// fail ends an enrollment at the pause, of which nothing else tells, or after the pause was over: then it has come there once all the same.
func (w *walker) fail(ctx context.Context, tx *store.ContactTx, e journey.Enrollment, at time.Time) {
	failed := journey.Decision{EnrollmentID: e.ID, ContactID: e.ContactID, Journey: "counted", StepID: "pause", Visit: 1, Kind: "failed", Outcome: "failed", At: at}
	_, _, err := tx.RecordDecision(ctx, failed)
	require.NoError(w.t, err)
	w.add("pause", func(c *journey.StepCount) { c.Entered++ })
	if w.chance.IntN(2) == 0 {
		return
	}
	left := failed
	left.Kind, left.Outcome = "wait", "next"
	_, _, err = tx.RecordDecision(ctx, left)
	require.NoError(w.t, err)
	w.ways["pause next"]++
}

// mail writes a mail and tells whether an exit event has stopped it.
func (w *walker) mail(ctx context.Context, tx *store.ContactTx, e journey.Enrollment, at time.Time) (stopped bool) {
	m := queued(e, 1, email.Marketing)
	m.StepID, m.CreatedAt, m.UpdatedAt = "hello", at, at
	fate := w.chance.IntN(9)
	skipped, stopped := fate < 3, fate == 3
	switch {
	case skipped:
		m.State, m.Reason = email.Skipped, "no_consent"
	case stopped:
		m.State, m.Reason = email.Skipped, email.ReasonExited
	default:
		w.sent = append(w.sent, m.ID)
	}
	require.NoError(w.t, tx.InsertMessage(ctx, m))
	if stopped {
		w.stopped++
		w.ways["hello exit"]++
		w.add("hello", func(c *journey.StepCount) { c.Entered++ })
		return true
	}
	w.ways["hello next"]++
	w.add("hello", func(c *journey.StepCount) {
		c.Entered++
		if !skipped {
			c.Sent++
			return
		}
		if c.Unsent == nil {
			c.Unsent = []journey.ReasonCount{{State: "skipped", Reason: "no_consent"}}
		}
		c.Unsent[0].Total++
	})
	if !skipped {
		w.day(at).Sent++
	}
	return false
}

func published(t *testing.T, s *store.Store) *journey.Definition {
	t.Helper()
	_, err := s.SaveDraft(t.Context(), journey.Draft{Journey: "counted", Document: []byte(counted)}, nil, start)
	require.NoError(t, err)
	_, err = s.PublishVersion(t.Context(), "counted", []byte(counted), "hash", nil, nil, start)
	require.NoError(t, err)
	definition, problems := journey.Parse([]byte(counted))
	require.Empty(t, problems)
	return definition
}

// The numbers of a journey are those that its contacts' histories add up to.
func TestNumbersAddUp(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	definition := published(t, s)
	w := &walker{
		t: t, s: s, chance: rand.New(rand.NewPCG(7, 9)), now: start.AddDate(0, 0, 20), steps: map[string]journey.StepCount{}, //nolint:gosec // the same walk each time
		ways: map[string]int64{}, ended: map[journey.ReasonCount]int64{}, days: map[string]*journey.Day{},
	}
	for range 120 {
		w.walk()
	}
	_, err := conn.Exec(t.Context(), "UPDATE messages SET state = 'sent', sent_at = created_at WHERE id = ANY($1::uuid[])", w.sent)
	require.NoError(t, err)
	planned := definition.Experiments()
	incomplete, err := s.SaveExperiments(t.Context(), planned, start)
	require.NoError(t, err)
	require.Equal(t, []string{planned[0].ID()}, incomplete)
	require.NoError(t, s.CompleteExperiment(t.Context(), planned[0], []int{1}))
	look(t, s, planned[0].ID(), w.now)
	for _, version := range []int{0, 1} {
		tally, err := s.Tally(t.Context(), "counted", version, []string{planned[0].ID()}, w.now.AddDate(0, 0, -29), w.now)
		require.NoError(t, err)
		w.requireNumbers(journey.CountUp(definition, tally))
	}
	none, err := s.Tally(t.Context(), "counted", 2, nil, w.now, w.now)
	require.NoError(t, err)
	require.Zero(t, journey.CountUp(definition, none).Entered)
	w.requireRowsBehind()
}

func (w *walker) requireNumbers(n journey.Numbers) {
	require.Equal(w.t, []int64{w.total.Entered, w.total.Active, w.total.Converted}, []int64{n.Entered, n.Active, n.Converted})
	require.Len(w.t, n.Steps, 4)
	hello := w.steps["hello"]
	hello.Unsent = append(slices.Clone(hello.Unsent), journey.ReasonCount{State: "skipped", Reason: email.ReasonExited, Total: w.stopped})
	for _, step := range n.Steps {
		if want := w.steps[step.Step]; step.Step != "hello" {
			require.Equal(w.t, want, step)
		}
	}
	require.Equal(w.t, hello, n.Steps[0])
	ways := map[string]int64{}
	for _, way := range n.Ways {
		ways[way.Step+" "+way.Port] = way.Total
	}
	require.Equal(w.t, w.ways, ways)
	ended := map[journey.ReasonCount]int64{}
	for _, e := range n.Ended {
		ended[journey.ReasonCount{State: e.State, Reason: e.Reason}] = e.Total
	}
	require.Equal(w.t, w.ended, ended)
	require.Len(w.t, n.Days, 30)
	for _, day := range n.Days {
		at, err := time.Parse(time.DateOnly, day.Day)
		require.NoError(w.t, err)
		require.Equal(w.t, *w.day(at), day)
	}
	require.Len(w.t, n.Experiments, 1)
	for i, arm := range n.Experiments[0].Variants {
		require.Equal(w.t, [2]int64{w.arms[i].Entered, w.arms[i].Converted}, [2]int64{arm.Entered, arm.Converted})
	}
	require.Nil(w.t, n.Experiments[0].Variants[1].Difference, "the holdout is what is compared with")
	require.NotNil(w.t, n.Experiments[0].Variants[0].Difference)
}

// requireRowsBehind: every number leads to as many rows.
func (w *walker) requireRowsBehind() {
	for _, tc := range []struct {
		of    journey.Counted
		total int64
	}{
		{journey.Counted{}, w.total.Entered},
		{journey.Counted{Step: "pause"}, w.steps["pause"].Here},
		{journey.Counted{State: "completed", Reason: "goal"}, w.total.Converted},
		{journey.Counted{State: "exited"}, w.ended[journey.ReasonCount{State: "exited", Reason: "exit"}]},
		{journey.Counted{Step: "nudge", Outcome: "1"}, w.ways["nudge 1"]},
		{journey.Counted{Step: "hello", Message: "sent"}, w.steps["hello"].Sent},
		{journey.Counted{Step: "hello", Message: "skipped", Reason: "no_consent"}, w.steps["hello"].Unsent[0].Total},
		{journey.Counted{Step: "hello", Message: "skipped", Reason: "another"}, 0},
		{journey.Counted{Version: 2}, 0},
	} {
		var found int64
		for cursor, more := "", true; more; more = cursor != "" {
			page, err := w.s.ListCounted(w.t.Context(), "counted", tc.of, cursor, 7)
			require.NoError(w.t, err)
			found += int64(len(page.Items))
			cursor = page.Next
		}
		require.Equal(w.t, tc.total, found, "%+v", tc.of)
	}
}

// What a page of numbers costs at a million decisions.
func TestBenchNumbers(t *testing.T) {
	if os.Getenv("BENCH") == "" {
		t.Skip("measures; make bench sets BENCH")
	}
	s, conn := open(t)
	published(t, s)
	for _, statement := range []string{
		`INSERT INTO contacts (id, traits, created_at, updated_at) SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '{}', now(), now() FROM generate_series(1, 250000) n`,
		`INSERT INTO enrollments (id, contact_id, journey, version, hash, state, step, reason, entered_seq, entered_at, ended_at)
			SELECT id, id, 'counted', 1, 'hash', CASE WHEN n % 3 = 0 THEN 'waiting' ELSE 'completed' END, 'pause', CASE WHEN n % 3 = 1 THEN 'goal' ELSE '' END, 1,
				now() - n % 60 * interval '1 day', CASE WHEN n % 3 = 0 THEN NULL ELSE now() END FROM (SELECT id, row_number() OVER () AS n FROM contacts) c`,
		`INSERT INTO decisions (enrollment_id, contact_id, journey, step_id, visit, kind, outcome, at)
			SELECT e.id, e.id, 'counted', v.step, 1, v.kind, v.outcome, now() FROM enrollments e, (VALUES ('nudge', 'split', '0'), ('pause', 'wait', 'next'), ('fit', 'branch', '1'), ('done', 'completed', 'completed')) v (step, kind, outcome)`,
		"VACUUM ANALYZE",
	} {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	const runs = 5
	begin := time.Now()
	for range runs {
		tally, err := s.Tally(t.Context(), "counted", 1, nil, time.Now().AddDate(0, 0, -29), time.Now())
		require.NoError(t, err)
		require.Len(t, tally.Decisions, 4)
	}
	t.Logf("numbers of a journey with 250,000 enrollments and 1,000,000 decisions: %d ms", time.Since(begin).Milliseconds()/runs)
	begin = time.Now()
	for range runs {
		page, err := s.ListCounted(t.Context(), "counted", journey.Counted{Step: "pause", Outcome: "next", Version: 1}, "", 50)
		require.NoError(t, err)
		require.Len(t, page.Items, 50)
	}
	t.Logf("a page of 50 of the contacts behind one of them: %d ms", time.Since(begin).Milliseconds()/runs)
}

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
)

// fleet takes contacts through journeys as the workflow does, with the real activities and the real store, and keeps by itself how often each
// enrollment has come to each step.
type fleet struct {
	t        *testing.T
	store    *store.Store
	env      *testsuite.TestActivityEnvironment
	inbox    *activities.Inbox
	steps    *activities.Steps
	messages *activities.Messages
	chance   *rand.Rand
	now      time.Time
	plans    map[string]*journey.Plan
	visits   map[string]map[string]int // of each enrollment
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	needStack(t)
	s, err := store.Open(t.Context(), newDatabase(t, os.Getenv("DATABASE_URL")))
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.NoError(t, s.Migrate(t.Context()))
	f := &fleet{
		t: t, store: s, chance: rand.New(rand.NewPCG(3, 5)), now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), //nolint:gosec // the same walk each time
		plans: map[string]*journey.Plan{}, visits: map[string]map[string]int{},
	}
	_, err = s.SaveTemplate(t.Context(), email.Template{Key: "hello", Subject: "Hello"}, "hash", nil, f.now)
	require.NoError(t, err)
	clock := func() time.Time { return f.now }
	contacts, versions := contactsPort{s}, activities.NewVersions(s)
	f.inbox = &activities.Inbox{Contacts: contacts, Versions: versions, Now: clock}
	f.steps = &activities.Steps{Contacts: contacts, Versions: versions, Now: clock}
	f.messages = &activities.Messages{Contacts: contacts, Versions: versions, Templates: s, Ledger: s, Now: clock, Composer: &activities.Composer{Renderers: activities.NewRenderers(s, email.Brand{Name: "Test", Link: "https://example.com"})}}
	var suite testsuite.WorkflowTestSuite
	f.env = suite.NewTestActivityEnvironment()
	for _, activity := range []any{f.inbox, f.steps, f.messages} {
		f.env.RegisterActivity(activity)
	}
	return f
}

// draw makes a journey of random steps: the ways lead on, or back from behind a wait.
func (f *fleet) draw(key string) *journey.Definition {
	for {
		count := 4 + f.chance.IntN(5)
		id := func(i int) string { return fmt.Sprint("s", min(i, count)) }
		var steps []map[string]any
		for i := range count {
			on, beyond, back := id(i+1), id(i+1+f.chance.IntN(2)), id(f.chance.IntN(i+1))
			step := map[string]any{"id": id(i)}
			switch f.chance.IntN(10) {
			case 0, 1:
				step["wait"] = map[string]any{"until": f.now.Add(-time.Hour)}
			case 2:
				step["wait"] = map[string]any{"until": f.now.Add(time.Duration(f.chance.IntN(96)) * time.Hour)}
			case 3:
				step["wait"] = "5h"
			case 4:
				step["wait_for"] = []any{map[string]any{"event": "Came", "go": beyond}, map[string]any{"event": "Back", "go": back}, map[string]any{"after": "20h", "go": on}}
			case 5:
				step["branch"] = []any{map[string]any{"when": "contact.n > 5", "go": beyond}, map[string]any{"else": true, "go": on}}
			case 6:
				step["split"] = []any{map[string]any{"weight": 1, "go": beyond}, map[string]any{"weight": 1, "go": on}}
			case 7:
				step["update"] = map[string]any{"increment": map[string]any{"n": 3}}
			case 8:
				step["send"] = map[string]any{"template": "hello"}
			case 9:
				step["send"] = map[string]any{"template": "gone"} // fails
			}
			steps = append(steps, step)
		}
		steps = append(steps, map[string]any{"id": id(count), "exit": "done"})
		document, err := json.Marshal(map[string]any{
			"journey": key, "enter": []any{map[string]any{"event": "Start " + key}}, "reenter": "always",
			"goal": map[string]any{"event": "Paid"}, "exit": []any{map[string]any{"event": "Left"}}, "steps": steps,
		})
		require.NoError(f.t, err)
		def, problems := journey.Parse(document)
		if fault.HasErrors(problems) {
			continue // a step that nothing leads to
		}
		stored, err := journey.Format(def)
		require.NoError(f.t, err)
		_, err = f.store.SaveDraft(f.t.Context(), journey.Draft{Journey: key, Document: stored}, nil, f.now)
		require.NoError(f.t, err)
		_, err = f.store.PublishVersion(f.t.Context(), key, stored, journey.Hash(stored), []string{"Start " + key}, nil, f.now)
		require.NoError(f.t, err)
		return def
	}
}

// does says that a contact did something, and gives its id.
func (f *fleet) does(user, event string) string {
	accepted, err := f.store.Ingest(f.t.Context(), f.now, []audience.Incoming{{
		Source: "test", MessageID: uuid.NewString(), Type: audience.TypeTrack, Name: event, UserID: user, OccurredAt: f.now,
	}})
	require.NoError(f.t, err)
	return accepted[0].ContactID
}

// settle brings a contact's enrollments as far as they come now.
func (f *fleet) settle(contactID string, hosted []activities.Hosted) []activities.Hosted {
	for {
		var result activities.ReadInboxResult
		f.do(f.inbox.ReadInbox, activities.ReadInboxInput{ContactID: contactID, Hosted: hosted}, &result)
		var kept []activities.Hosted
		moved := len(result.Resolved) > 0 || len(result.Adopted) > 0
		for _, h := range hosted {
			if h.State.End != nil {
				continue // told
			}
			for _, r := range result.Resolved {
				if r.EnrollmentID == h.EnrollmentID {
					f.next(&h, r.Outcome)
				}
			}
			h.State.Seq = max(h.State.Seq, result.Scanned[h.EnrollmentID])
			kept = append(kept, h)
		}
		for _, a := range result.Adopted {
			if a.Plan != nil {
				f.plans[a.Hash] = a.Plan
			}
			h := activities.Hosted{EnrollmentID: a.EnrollmentID, Journey: a.Journey, Version: a.Version, Hash: a.Hash, TriggerEventID: a.TriggerEventID}
			h.State, _ = f.plans[a.Hash].Start(a.EnteredSeq, f.now)
			f.visits[h.EnrollmentID] = maps.Clone(h.State.Visits)
			kept = append(kept, h)
		}
		for i := range kept {
			for kept[i].State.Park == nil && kept[i].State.End == nil {
				f.next(&kept[i], f.perform(contactID, kept[i]))
				moved = true
			}
			moved = moved || kept[i].State.End != nil
		}
		if hosted = kept; !moved {
			return hosted
		}
	}
}

func (f *fleet) next(h *activities.Hosted, o journey.Outcome) {
	h.State, _ = f.plans[h.Hash].Next(h.State, o, f.now)
	f.visits[h.EnrollmentID] = maps.Clone(h.State.Visits)
}

func (f *fleet) perform(contactID string, h activities.Hosted) journey.Outcome {
	in := activities.EffectInput{TriggerEventID: h.TriggerEventID, Seq: h.State.Seq, Ref: activities.StepRef{
		ContactID: contactID, EnrollmentID: h.EnrollmentID, Journey: h.Journey, Version: h.Version, Hash: h.Hash, Step: h.State.Step, Visit: h.State.Visit(),
	}}
	effect := map[journey.Kind]any{
		journey.KindBranch: f.steps.Decide, journey.KindSplit: f.steps.AssignVariant, journey.KindUpdate: f.steps.UpdateContact, journey.KindSend: f.messages.SendEmail,
	}[f.plans[h.Hash].Steps[h.State.Step].Kind]
	value, err := f.env.ExecuteActivity(effect, in)
	if err != nil {
		return journey.Outcome{Failed: true, Reason: "unknown_template"}
	}
	var result activities.EffectResult
	require.NoError(f.t, value.Get(&result))
	return result.Outcome
}

func (f *fleet) do(activity, in, out any) {
	value, err := f.env.ExecuteActivity(activity, in)
	require.NoError(f.t, err)
	require.NoError(f.t, value.Get(out))
}

// Whatever a journey is made of and whatever happens, the numbers say of each step how often contacts have come to it: also of a wait whose
// moment was past, which nobody performs and nothing ends, and of a step that failed.
func TestEveryStepIsCounted(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	passed, failed := 0, 0
	for n := range 25 {
		key := fmt.Sprint("drawn-", n)
		def := f.draw(key)
		clear(f.visits)
		hosted := map[string][]activities.Hosted{}
		for i := range 4 {
			id := f.does(fmt.Sprint("u", n, "-", i), "Start "+key)
			hosted[id] = f.settle(id, nil)
		}
		for range 12 {
			f.now = f.now.Add(time.Duration(f.chance.IntN(12)) * time.Hour)
			user := fmt.Sprint("u", n, "-", f.chance.IntN(4))
			id := f.does(user, []string{"Came", "Came", "Back", "Back", "Other", "Paid", "Left", "Start " + key}[f.chance.IntN(8)])
			hosted[id] = f.settle(id, hosted[id])
		}
		for id := range hosted {
			hosted[id] = f.settle(id, hosted[id])
		}
		want := map[string]int64{}
		for _, visits := range f.visits {
			for step, times := range visits {
				want[step] += int64(times)
			}
		}
		tally, err := f.store.Tally(t.Context(), key, 0, nil, f.now, f.now)
		require.NoError(t, err)
		numbers := journey.CountUp(def, tally)
		require.Equal(t, int64(len(f.visits)), numbers.Entered)
		for _, step := range numbers.Steps {
			require.Equal(t, want[step.Step], step.Entered, "journey %s, step %s", key, step.Step)
			if s := def.Step(step.Step); s.Wait != nil && s.Wait.Until != nil {
				passed += int(step.Entered)
			}
		}
		for _, stranded := range tally.Stranded {
			failed += int(stranded.Total)
		}
	}
	require.Greater(t, passed, 20, "some have passed a wait")
	require.Positive(t, failed, "some have failed")
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

const learning = `
journey: learning
enter: [{event: Begin}]
reenter: always
goal: {event: Paid}
steps:
  - id: nudge
    split:
      - {name: short, weight: 1, go: tone}
      - {name: long, weight: 1, go: tone}
    experiment: {goal: {event: Bought, when: event.amount > 10}, within: 7d, winner: automatic}
  - id: tone
    split:
      - {name: calm, weight: 1, go: done}
      - {name: loud, weight: 1, go: done}
    experiment: {goal: {event: Liked}, mode: thompson, floor: 10}
  - id: done
    exit: finished
`

// crowd are contacts that come and do things by the hundred.
type crowd struct {
	p   *product
	all []string // user ids
}

// do lets some of the crowd do something.
func (c *crowd) do(t *testing.T, users []string, event string, properties map[string]any) {
	t.Helper()
	for len(users) > 0 {
		n := min(200, len(users))
		batch := make([]map[string]any, 0, n)
		for _, user := range users[:n] {
			batch = append(batch, map[string]any{"type": "track", "userId": user, "event": event, "properties": properties, "messageId": uuid.NewString()})
		}
		c.p.segment(t, "/v1/batch", map[string]any{"batch": batch})
		users = users[n:]
	}
}

// come lets new ones enter, and waits until they have left.
func (c *crowd) come(t *testing.T, n int) []string {
	t.Helper()
	fresh := make([]string, n)
	for i := range fresh {
		fresh[i] = fmt.Sprintf("crowd-%d", len(c.all)+i)
	}
	c.do(t, fresh, "Begin", nil)
	c.all = append(c.all, fresh...)
	for before := -1; ; {
		var through int
		query(t, c.p.config.DatabaseURL, `SELECT count(DISTINCT contact_id) FROM enrollments WHERE state = 'completed'`, nil, &through)
		if through == len(c.all) {
			return fresh
		}
		eventually(t, "more of them come through", func() bool {
			query(t, c.p.config.DatabaseURL, `SELECT count(DISTINCT contact_id) FROM enrollments WHERE state = 'completed'`, nil, &through)
			return through > before
		})
		before = through
	}
}

// arms tells which users got which arm of a step, at their newest visit.
func (c *crowd) arms(t *testing.T, step string) map[string][]string {
	t.Helper()
	var told string
	query(t, c.p.config.DatabaseURL, `SELECT coalesce(string_agg(user_id || ' ' || outcome, ','), '') FROM (
		SELECT DISTINCT ON (c.id) c.user_id, d.outcome FROM decisions d JOIN contacts c ON c.id = d.contact_id WHERE d.step_id = $1 AND d.kind = 'split' ORDER BY c.id, d.journal_id DESC) x`, []any{step}, &told)
	out := map[string][]string{}
	for _, one := range strings.Split(told, ",") {
		user, arm, _ := strings.Cut(one, " ")
		out[arm] = append(out[arm], user)
	}
	return out
}

func (p *product) experiment(t *testing.T, step string) journey.Experiment {
	t.Helper()
	var newest journey.Experiment
	for _, e := range admin[list[journey.Experiment]](t, p, "GET", "/v1/experiments", "").Data {
		if e.Step == step && newest.ID == "" {
			newest = e
		}
	}
	return newest
}

// A planted difference is found, and from then on new contacts all get the better arm, while those who were there keep theirs. Another split
// learns on the way, and gives more and more of them what they like, and the rest never less than its floor. An edit of another step in the
// middle changes nothing of it.
func TestExperimentsDecideByThemselves(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.publish(t, learning)
	c := &crowd{p: p}
	c.come(t, 600)
	tone := c.arms(t, "tone")
	require.InDelta(t, 300, len(tone["1"]), 90)
	c.do(t, tone["1"][:len(tone["1"])/2], "Liked", nil)
	c.do(t, tone["0"][:len(tone["0"])/20], "Liked", nil)
	var drawn *journey.Draw
	eventually(t, "weights are drawn from that", func() bool {
		drawn = p.experiment(t, "tone").Draw
		return drawn != nil && drawn.Weights[1] > 850_000
	})
	require.GreaterOrEqual(t, drawn.Weights[0], 99_999, "the floor")
	require.InDelta(t, 1e6, drawn.Weights[0]+drawn.Weights[1], 1)

	second := p.publish(t, strings.Replace(learning, "exit: finished", "exit: over", 1))
	require.Equal(t, 2, second.Number)
	later := c.come(t, 560)
	loud := 0
	for _, user := range c.arms(t, "tone")["1"] {
		for _, one := range later {
			if user == one {
				loud++
			}
		}
	}
	require.Greater(t, loud, 440, "of 560, by weights of nine in ten")
	require.Less(t, loud, 550)
	one := p.decision(t, p.contact(t, person{user: later[0]}).ID, "tone", "split")
	require.Equal(t, journey.WhyDrawn, one.Detail["why"])
	require.NotEmpty(t, one.Detail["seed"])
	require.NotEmpty(t, one.Detail["counts"])

	nudge := c.arms(t, "nudge")
	eventually(t, "both versions are counted together", func() bool {
		e := p.experiment(t, "nudge")
		return e.Variants[0].Entered+e.Variants[1].Entered == int64(len(c.all))
	})
	require.Equal(t, journey.ExperimentRunning, p.experiment(t, "nudge").State)
	c.do(t, nudge["0"], "Bought", map[string]any{"amount": 5}) // does not count
	c.do(t, nudge["0"][:len(nudge["0"])/10], "Bought", map[string]any{"amount": 50})
	c.do(t, nudge["1"][:len(nudge["1"])/4], "Bought", map[string]any{"amount": 50})
	var e journey.Experiment
	eventually(t, "the better arm has won", func() bool {
		e = p.experiment(t, "nudge")
		return e.State == journey.ExperimentWon
	})
	require.Equal(t, []string{"1", journey.ByThroughline}, []string{e.Won.Port, e.Won.By})
	require.Equal(t, []int64{int64(len(nudge["0"]) / 10), int64(len(nudge["1"]) / 4)}, []int64{e.Variants[0].Converted, e.Variants[1].Converted})
	require.Contains(t, e.Verdict.Sentence, "long is better than short")
	require.False(t, e.Ratio.Alarmed)

	for _, user := range c.come(t, 40) {
		made := p.decision(t, p.contact(t, person{user: user}).ID, "nudge", "split")
		require.Equal(t, "1", made.Outcome)
		require.Equal(t, journey.WhyWinner, made.Detail["why"])
	}
	again := nudge["0"][0]
	c.do(t, []string{again}, "Begin", nil)
	id := p.contact(t, person{user: again}).ID
	eventually(t, "an earlier one comes again", func() bool {
		var visits int
		query(t, p.config.DatabaseURL, `SELECT count(*) FROM decisions WHERE contact_id = $1 AND step_id = 'nudge'`, []any{id}, &visits)
		return visits == 2
	})
	var why string
	query(t, p.config.DatabaseURL, `SELECT outcome || ' ' || (detail ->> 'why') FROM decisions WHERE contact_id = $1 AND step_id = 'nudge' ORDER BY journal_id DESC LIMIT 1`, []any{id}, &why)
	require.Equal(t, "0 kept", why)
	numbers := admin[journey.Numbers](t, p, "GET", "/v1/journeys/learning/numbers", "")
	require.Equal(t, int64(1160), numbers.Experiments[0].Variants[0].Entered+numbers.Experiments[0].Variants[1].Entered, "those who were given the winner are not counted")

	byHand := admin[journey.Experiment](t, p, "POST", "/v1/experiments/"+e.ID+"/winner", fmt.Sprintf(`{"port":"0","expected_revision":%d}`, e.Revision))
	require.Equal(t, "0", byHand.Won.Port)
	require.Equal(t, "0", p.decision(t, p.contact(t, person{user: c.come(t, 1)[0]}).ID, "nudge", "split").Outcome)
	status, _ := p.do(t, "POST", "/v1/experiments/"+e.ID+"/winner", p.config.AdminKey, fmt.Sprintf(`{"port":"1","expected_revision":%d}`, e.Revision))
	require.Equal(t, 409, status)
}

// A mail is withheld from a part of the contacts at the very moment at which the others get it: all of them are counted from then on, and only
// those who would have got it.
func TestAMailIsWithheldFromSome(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.template(t, "offer", "An offer")
	p.publish(t, `
journey: offered
enter: [{event: Begin}]
steps:
  - id: offer
    send: {template: offer, holdout: {percent: 50, goal: {event: Bought}, within: 7d}}
  - id: done
    exit: finished
`)
	people := map[string]person{}
	for range 24 {
		who := newPerson()
		people[p.identify(t, who, nil)] = who
		p.track(t, who, "Begin", nil)
	}
	nobody := newPerson()
	p.segment(t, "/v1/identify", map[string]any{"userId": nobody.user, "traits": map[string]any{"plan": "free"}, "messageId": uuid.NewString()})
	p.track(t, nobody, "Begin", nil)
	require.Equal(t, "finished", p.ended(t, p.contact(t, nobody).ID).Reason)
	sent, withheld := 0, 0
	for id, who := range people {
		require.Equal(t, "finished", p.ended(t, id).Reason)
		m := p.messageAt(t, id, "offer")
		switch m.State {
		case email.Sent:
			sent++
			require.Len(t, caught(t, who.email), 1)
			p.track(t, who, "Bought", nil)
		default:
			withheld++
			require.Equal(t, []any{email.Skipped, email.ReasonHoldout}, []any{m.State, m.Reason})
			require.NotEmpty(t, m.Subject, "it was made like the others")
			require.Empty(t, caught(t, who.email))
			if withheld%2 == 0 {
				p.track(t, who, "Bought", nil)
			}
		}
	}
	require.Positive(t, sent)
	require.Positive(t, withheld)
	eventually(t, "goals of both are counted", func() bool {
		e := p.experiment(t, "offer")
		return e.Variants[0].Converted == int64(sent) && e.Variants[1].Converted == int64(withheld/2)
	})
	e := p.experiment(t, "offer")
	require.Equal(t, []int64{int64(sent), int64(withheld)}, []int64{e.Variants[0].Entered, e.Variants[1].Entered}, "who has no address is on no side")
	var clocks int
	query(t, p.config.DatabaseURL, `SELECT count(*) FROM experiment_contacts x JOIN messages m ON m.contact_id = x.contact_id AND m.created_at = x.at AND m.step_id = 'offer'`, nil, &clocks)
	require.Equal(t, 24, clocks, "one clock")
	numbers := admin[journey.Numbers](t, p, "GET", "/v1/journeys/offered/numbers", "")
	require.Contains(t, numbers.Steps[0].Unsent, journey.ReasonCount{State: "skipped", Reason: "holdout", Total: int64(withheld)})
	require.Equal(t, e.ID, numbers.Experiments[0].ID)
	require.Equal(t, "1", numbers.Experiments[0].Variants[1].Port)

	ended := admin[journey.Experiment](t, p, "POST", "/v1/experiments/"+e.ID+"/winner", `{"port":"0"}`)
	require.Equal(t, journey.ExperimentWon, ended.State)
	for range 6 {
		who := newPerson()
		id := p.identify(t, who, nil)
		p.track(t, who, "Begin", nil)
		p.ended(t, id)
		require.Equal(t, email.Sent, p.messageAt(t, id, "offer").State, "the holdout is over")
	}
}

// dying is a store whose nth call from now fails, as when the process is killed there: before it is done, or after.
type dying struct {
	activities.ExperimentStore
	calls, at int
	after     bool
}

var errKilled = errors.New("killed")

func (d *dying) die(call func() error) error {
	d.calls++
	if d.calls != d.at {
		return call()
	}
	if d.after {
		_ = call()
	}
	return errKilled
}

func (d *dying) SaveExperiments(ctx context.Context, live []journey.Planned, now time.Time) (out []string, err error) {
	return out, d.die(func() (err error) { out, err = d.ExperimentStore.SaveExperiments(ctx, live, now); return err })
}

func (d *dying) CompleteExperiment(ctx context.Context, p journey.Planned, versions []int) error {
	return d.die(func() error { return d.ExperimentStore.CompleteExperiment(ctx, p, versions) })
}

func (d *dying) ConvertContacts(ctx context.Context, r journey.ExperimentRecord, limit int) (out []string, err error) {
	err = d.die(func() (err error) { out, err = d.ExperimentStore.ConvertContacts(ctx, r, limit); return err })
	return out, err
}

func (d *dying) SaveLook(ctx context.Context, id string, counts []journey.ArmCount, next *journey.Draw, winner *journey.ExperimentWinner, now time.Time) error {
	return d.die(func() error { return d.ExperimentStore.SaveLook(ctx, id, counts, next, winner, now) })
}

// Wherever a judge is cut off, and however many judges look at once, what is kept in the end is what one look would have left.
func TestJudgesMayDieAnywhere(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	document := strings.Replace(learning, "goal: {event: Bought, when: event.amount > 10}", "goal: {event: Bought}", 1)
	def, _ := journey.Parse([]byte(document))
	stored, err := journey.Format(def)
	require.NoError(t, err)
	_, err = f.store.SaveDraft(t.Context(), journey.Draft{Journey: "learning", Document: stored}, nil, f.now)
	require.NoError(t, err)
	_, err = f.store.PublishVersion(t.Context(), "learning", stored, journey.Hash(stored), []string{"Begin"}, nil, f.now)
	require.NoError(t, err)
	judge := func(s activities.ExperimentStore) *activities.Experiments {
		return &activities.Experiments{Store: s, Contacts: contactsPort{f.store}, Versions: activities.NewVersions(f.store), Now: func() time.Time { return f.now }}
	}
	look := func(e *activities.Experiments) error {
		if err := e.Note(t.Context()); err != nil {
			return err
		}
		ids, err := e.All(t.Context())
		for _, id := range ids {
			if _, failed := e.Look(t.Context(), id); failed != nil {
				err = failed
			}
		}
		return err
	}
	for i := range 60 {
		f.settle(f.does(fmt.Sprint("u", i), "Begin"), nil)
	}
	f.now = f.now.Add(time.Minute)
	for i := range 20 {
		f.does(fmt.Sprint("u", i), "Liked")
		f.does(fmt.Sprint("u", i), "Bought")
	}
	f.now = f.now.Add(time.Minute)
	died := 0
	for at := 1; at <= 12; at++ {
		for _, after := range []bool{false, true} {
			if err := look(judge(&dying{ExperimentStore: f.store, at: at, after: after})); err != nil {
				require.ErrorIs(t, err, errKilled)
				died++
			}
		}
	}
	require.GreaterOrEqual(t, died, 6, "they died at many places")
	var at sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		at.Go(func() { errs[i] = look(judge(f.store)) })
	}
	at.Wait()
	require.NoError(t, errors.Join(errs...))
	for _, step := range []string{"nudge", "tone"} {
		p, _ := def.Experiment(step)
		r, err := f.store.FindExperiment(t.Context(), p.ID())
		require.NoError(t, err)
		require.Equal(t, int64(60), r.Counts[0].Entered+r.Counts[1].Entered)
		require.Equal(t, int64(20), r.Counts[0].Converted+r.Counts[1].Converted)
		if step == "tone" {
			require.Equal(t, 1, r.Draw.Number, "drawn once")
			require.Equal(t, p.NextDraw(r.Counts, nil, r.Draw.At), r.Draw)
		}
	}
}

package sales_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const modelYAML = `
name: Trial
personas:
  - {key: founder, when: 'contact.role == "founder"'}
  - {key: maker, when: 'contact.role == "developer" || contact.plan == "free"'}
fit:
  cap: 100
  rules:
    - {id: size, when: 'company.employees >= 10', points: 40}
    - {id: plan, when: 'contact.plan == "trial"', points: 30}
    - {id: subscription, when: 'object("subscription").mrr > 100', points: 50}
    - {id: founder, when: 'persona == "founder"', points: 20}
    - {id: student, when: 'contact.student == true', points: -60}
engagement:
  groups:
    - key: product
      cap: 50
      half_life: 7d
      rules:
        - {id: invited, event: Teammate Invited, points: 15}
        - {id: big_export, event: Exported, when: event.rows > 100, points: 25}
    - key: disinterest
      half_life: 14d
      rules:
        - {id: careers, event: Page Viewed, when: 'event.path == "/jobs"', points: -10}
    - key: site
      cap: 20
      rules:
        - {id: pricing, event: Page Viewed, when: 'event.path == "/pricing"', points: 5}
        - {id: exported, event: Exported, points: 1}
labels:
  fit: {A: 60, B: 30}
  engagement: {"1": 40, "2": 10}
stages:
  lead: {total: 10}
  mql: {fit: 30, engagement: 20}
  sql: {labels: [A1]}
`

func model(t require.TestingT) *sales.Model {
	def, problems := sales.Parse([]byte(modelYAML))
	for _, p := range problems {
		require.Equal(t, "warning", p.Level, "%+v", p)
	}
	m, err := sales.Compile(def, 3)
	require.NoError(t, err)
	return m
}

func done(name string, at time.Time, properties map[string]any) audience.Event {
	return audience.Event{ID: "e", Type: audience.TypeTrack, Name: name, OccurredAt: at, ReceivedAt: at, Properties: properties}
}

func earn(t require.TestingT, m *sales.Model, events ...audience.Event) sales.ScoreState {
	s := sales.ScoreState{Model: m.Version()}
	for i := range events {
		_, err := m.Earn(&s, &events[i])
		require.NoError(t, err)
	}
	return s
}

func TestPointsCapAndDecay(t *testing.T) {
	t.Parallel()
	m := model(t)
	invited := func(n int) (all []audience.Event) {
		for range n {
			all = append(all, done("Teammate Invited", noon, nil))
		}
		return all
	}
	const week = 7 * 24 * time.Hour
	for name, row := range map[string]struct {
		events []audience.Event
		at     time.Time
		want   int
	}{
		"at once":                    {invited(2), noon, 30},
		"just after":                 {invited(2), noon.Add(time.Minute), 30},
		"half, rounded up":           {invited(1), noon.Add(week), 8},
		"just after half":            {invited(1), noon.Add(week + time.Second), 7},
		"capped":                     {invited(10), noon, 50},
		"what is above fades first":  {invited(10), noon.Add(week), 50},
		"then the rest":              {invited(10), noon.Add(2 * week), 38},
		"gone":                       {invited(10), noon.Add(20 * week), 0},
		"a condition that holds":     {[]audience.Event{done("Exported", noon, map[string]any{"rows": 101.0})}, noon, 26},
		"one that does not":          {[]audience.Event{done("Exported", noon, map[string]any{"rows": 99.0})}, noon, 1},
		"missing data does not hold": {[]audience.Event{done("Exported", noon, nil)}, noon, 1},
		"negative":                   {[]audience.Event{done("Page Viewed", noon, map[string]any{"path": "/jobs"})}, noon, -10},
		"negative fades, too":        {[]audience.Event{done("Page Viewed", noon, map[string]any{"path": "/jobs"})}, noon.Add(40 * week), 0},
		"what never fades":           {[]audience.Event{done("Page Viewed", noon, map[string]any{"path": "/pricing"})}, noon.Add(500 * week), 5},
		"unheard of":                 {[]audience.Event{done("Danced", noon, nil)}, noon, 0},
	} {
		require.Equal(t, row.want, m.Score(earn(t, m, row.events...), row.at).Engagement, name)
	}
	s := earn(t, m, invited(1)...)
	s.Points, s.Fit = 7, 30
	require.Equal(t, audience.Score{Total: 52, Fit: 30, Engagement: 22, Label: "B2"}, m.Worth(s, noon))
	require.Equal(t, "mql", m.Reached(m.Worth(s, noon)))
	require.Equal(t, []string{"Exported", "Page Viewed", "Teammate Invited"}, m.EventNames())
	require.Equal(t, []string{"Exported", "Page Viewed"}, m.ConditionalNames())
	require.True(t, m.Listens("Exported"))
	require.False(t, m.Listens("Danced"))
}

func TestNilModelKnowsPointsAlone(t *testing.T) {
	t.Parallel()
	var m *sales.Model
	s := sales.ScoreState{Points: 5}
	ok, err := m.Earn(&s, &audience.Event{Name: "A"})
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, m.Rate(&s, nil))
	require.Equal(t, audience.Score{Total: 5, Engagement: 5}, m.Score(s, noon))
	require.Empty(t, m.Reached(m.Score(s, noon)))
	require.Zero(t, m.Version())
	require.False(t, m.Listens("A"))
	require.Empty(t, m.EventNames())
	require.Empty(t, m.ConditionalNames())
	require.Nil(t, m.Matrix())
	require.Empty(t, m.Groups())
}

type people struct {
	audience.Facts
	contact audience.Contact
	company map[string]any
	objects map[string]map[string]any
}

func (p people) Contact() audience.Contact                  { return p.contact }
func (p people) Event() *audience.Event                     { return nil }
func (p people) Company() map[string]any                    { return p.company }
func (p people) Persona() string                            { return "stale" }
func (p people) Object(kind string) (map[string]any, error) { return p.objects[kind], nil }
func (p people) Score() audience.Score                      { return audience.Score{} }
func (p people) Now() time.Time                             { return noon }

func TestRate(t *testing.T) {
	t.Parallel()
	m := model(t)
	trial := map[string]any{"role": "founder", "plan": "trial"}
	for name, row := range map[string]struct {
		who     people
		fit     int
		persona string
	}{
		"nobody":       {people{}, 0, ""},
		"founder":      {people{contact: audience.Contact{Traits: trial}}, 50, "founder"},
		"first wins":   {people{contact: audience.Contact{Traits: map[string]any{"role": "founder", "plan": "free"}}}, 20, "founder"},
		"maker":        {people{contact: audience.Contact{Traits: map[string]any{"plan": "free"}}}, 0, "maker"},
		"negative":     {people{contact: audience.Contact{Traits: map[string]any{"student": true}}}, -60, ""},
		"company":      {people{company: map[string]any{"employees": 12.0}}, 40, ""},
		"object":       {people{objects: map[string]map[string]any{"subscription": {"mrr": 200.0}}}, 50, ""},
		"capped at it": {people{contact: audience.Contact{Traits: trial}, company: map[string]any{"employees": 12.0}, objects: map[string]map[string]any{"subscription": {"mrr": 200.0}}}, 100, "founder"},
	} {
		s := sales.ScoreState{Fit: 99, Persona: "stale"}
		require.NoError(t, m.Rate(&s, row.who), name)
		require.Equal(t, []any{row.fit, row.persona}, []any{s.Fit, s.Persona}, name)
	}
	names := m.FitNames()
	require.Equal(t, []string{"plan", "role", "student"}, names.Traits)
	require.Equal(t, []string{"subscription"}, names.Objects)
	require.True(t, names.Company)
	require.False(t, names.Persona, "it follows from the rest")
}

// A stage that a person took a contact back from is not reached again before the score has been below it once.
func TestAdvance(t *testing.T) {
	t.Parallel()
	m := model(t)
	low, lead := audience.Score{}, audience.Score{Total: 12, Engagement: 12}
	mql := audience.Score{Total: 60, Fit: 30, Engagement: 30, Label: "B2"}
	sql := audience.Score{Total: 120, Fit: 70, Engagement: 50, Label: "A1"}
	var s sales.ScoreState
	require.Equal(t, "mql", m.Advance(&s, low, mql, "subscriber"))
	require.Equal(t, "mql", m.Advance(&s, mql, mql, "subscriber"), "what was reached under another model counts when it is looked at")
	require.Empty(t, m.Advance(&s, low, lead, "mql"), "forward only")
	require.Empty(t, m.Advance(&s, low, low, "subscriber"))

	s.Held = "mql"
	require.Empty(t, m.Advance(&s, mql, mql, "lead"), "taken back, and the score has not moved")
	require.Equal(t, "sql", m.Advance(&s, mql, sql, "lead"), "further than where it came from")
	require.Empty(t, m.Advance(&s, mql, lead, "lead"))
	require.Empty(t, s.Held, "it has been below")
	require.Equal(t, "mql", m.Advance(&s, lead, mql, "lead"))
	s.Held = "mql"
	require.Equal(t, "mql", m.Advance(&s, lead, mql, "lead"), "it had decayed below before the event")
}

func drawEvents(t *rapid.T, most int) []audience.Event {
	var events []audience.Event
	for i := range rapid.IntRange(0, most).Draw(t, "events") {
		at := noon.Add(-time.Duration(rapid.Int64Range(0, int64(60*24*time.Hour)).Draw(t, "age")))
		if rapid.Bool().Draw(t, "whole days") {
			at = noon.Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "days")) * 24 * time.Hour)
		}
		e := done(rapid.SampledFrom([]string{"Teammate Invited", "Exported", "Page Viewed", "Other"}).Draw(t, "name"), at, map[string]any{
			"path": rapid.SampledFrom([]any{"/jobs", "/pricing", "/", 7.0, nil}).Draw(t, "path"),
			"rows": rapid.SampledFrom([]any{5.0, 500.0, "many", nil}).Draw(t, "rows"),
		})
		e.ID = fmt.Sprint(i)
		events = append(events, e)
	}
	return events
}

// The fold's order does not matter, it may be cut anywhere (stored and read again, or in two contacts that become one), and what it is worth
// is what the events are worth one by one.
func TestFoldProperty(t *testing.T) {
	t.Parallel()
	m := model(t)
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t, 40)
		state := earn(t, m, events...)
		shuffled := rapid.Permutation(events).Draw(t, "order")
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		var stored sales.ScoreState
		raw, err := json.Marshal(earn(t, m, shuffled[:cut]...))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &stored))
		joined := earn(t, m, shuffled[cut:]...)
		for i := range shuffled[cut:] {
			_, err := m.Earn(&stored, &shuffled[cut+i])
			require.NoError(t, err)
		}
		m.Join(&joined, earn(t, m, shuffled[:cut]...))
		for range 5 {
			at := noon.Add(time.Duration(rapid.Int64Range(0, int64(90*24*time.Hour)).Draw(t, "later")))
			if rapid.Bool().Draw(t, "whole days") {
				at = noon.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "days")) * 24 * time.Hour)
			}
			want := byHand(events, at)
			for name, s := range map[string]sales.ScoreState{"in order": state, "shuffled, stored between": stored, "joined": joined} {
				require.Equal(t, want, m.Score(s, at).Engagement, name)
			}
			explained, err := sales.Explain(m, sales.Journal{Facts: people{}, Events: seq(shuffled), Points: seq[sales.ScoreChange](nil)}, at, 10)
			require.NoError(t, err)
			require.Equal(t, want, explained.Score.Engagement)
		}
	})
}

// byHand sums up what each event is worth, without any of the code under test.
func byHand(events []audience.Event, at time.Time) int {
	var product, disinterest, site float64
	left := func(e audience.Event, days float64) float64 {
		return math.Pow(0.5, at.Sub(e.OccurredAt).Hours()/24/days)
	}
	for _, e := range events {
		rows, _ := e.Properties["rows"].(float64)
		switch {
		case e.Name == "Teammate Invited":
			product += 15 * left(e, 7)
		case e.Name == "Exported":
			site++
			if rows > 100 {
				product += 25 * left(e, 7)
			}
		case e.Name == "Page Viewed" && e.Properties["path"] == "/jobs":
			disinterest -= 10 * left(e, 14)
		case e.Name == "Page Viewed" && e.Properties["path"] == "/pricing":
			site += 5
		}
	}
	return int(math.Floor(min(product, 50) + disinterest + min(site, 20) + 0.5 + 1e-6))
}

// Until ChangesAt every number stays, and at it one is another; when it is never, none changes in ten years.
func TestChangesAtProperty(t *testing.T) {
	t.Parallel()
	m := model(t)
	rapid.Check(t, func(t *rapid.T) {
		state := earn(t, m, drawEvents(t, 12)...)
		if rapid.Bool().Draw(t, "any amounts") { // far above the cap, too, and against each other
			for _, key := range []string{"product", "disinterest", "site"} {
				amount := rapid.Float64Range(-200, 200).Draw(t, key)
				state.Engagement = with(state.Engagement, key, sales.Decayed{Value: amount, At: noon.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "hours")) * time.Hour)})
			}
		}
		at := noon.Add(time.Duration(rapid.Int64Range(0, int64(40*24*time.Hour)).Draw(t, "at"))).Truncate(time.Microsecond)
		now := m.Score(state, at)
		until := now.ChangesAt
		same := func(at time.Time) {
			require.Equal(t, now.Engagement, m.Worth(state, at).Engagement, at)
		}
		if until.IsZero() {
			for i := range 200 {
				same(at.Add(time.Duration(i*i) * 2 * time.Hour))
			}
			return
		}
		require.True(t, until.After(at))
		require.NotEqual(t, now.Engagement, m.Worth(state, until).Engagement)
		same(until.Add(-time.Microsecond))
		for range 20 {
			same(at.Add(time.Duration(rapid.Int64Range(0, int64(until.Sub(at)/time.Microsecond)-1).Draw(t, "between")) * time.Microsecond))
		}
	})
}

func with(all map[string]sales.Decayed, key string, amount sales.Decayed) map[string]sales.Decayed {
	if all == nil {
		all = map[string]sales.Decayed{}
	}
	all[key] = amount
	return all
}

// Amounts that rise and fall against each other may come back to the edge that they left; the first change is still the one that is found.
func TestChangesAtFindsTheFirstOfManyChanges(t *testing.T) {
	t.Parallel()
	m := model(t)
	state := sales.ScoreState{Engagement: map[string]sales.Decayed{
		"product": {Value: 30, At: noon}, "disinterest": {Value: -30, At: noon}, // touches -7.5 after two weeks, which is still -7, and rises to 0 again
	}}
	at := noon
	var seen []int
	for range 100 {
		score := m.Score(state, at)
		seen = append(seen, score.Engagement)
		if score.ChangesAt.IsZero() {
			break
		}
		at = score.ChangesAt
	}
	require.Equal(t, []int{0, -1, -2, -3, -4, -5, -6, -7, -6, -5, -4, -3, -2, -1, 0}, seen)
	require.Equal(t, m.Score(state, noon).ChangesAt, m.RisesAt(state, noon))
	above := sales.ScoreState{Engagement: map[string]sales.Decayed{"product": {Value: 200, At: noon}, "disinterest": {Value: -50, At: noon}}}
	rises := m.Score(above, noon).ChangesAt // 50 - 50 rises while the cap holds the one, falls afterwards, and ends where it began
	require.Equal(t, []int{0, 0, 1}, []int{m.Worth(above, noon).Engagement, m.Worth(above, rises.Add(-time.Microsecond)).Engagement, m.Worth(above, rises).Engagement})
	delete(state.Engagement, "disinterest")
	require.Zero(t, m.RisesAt(state, noon), "what only falls reaches nothing")
}

func BenchmarkWorth(b *testing.B) {
	m := model(b)
	state := earn(b, m, done("Teammate Invited", noon, nil), done("Page Viewed", noon, map[string]any{"path": "/pricing"}), done("Exported", noon, map[string]any{"rows": 500.0}))
	for b.Loop() {
		m.Worth(state, noon.Add(time.Hour))
	}
}

func BenchmarkScore(b *testing.B) {
	m := model(b)
	state := earn(b, m, done("Teammate Invited", noon, nil), done("Page Viewed", noon, map[string]any{"path": "/pricing"}), done("Exported", noon, map[string]any{"rows": 500.0}))
	for b.Loop() {
		m.Score(state, noon.Add(time.Hour))
	}
}

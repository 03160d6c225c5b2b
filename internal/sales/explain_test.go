package sales_test

import (
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
)

func seq[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func TestExplainNamesEveryPointsOrigin(t *testing.T) {
	t.Parallel()
	m := model(t)
	week := noon.Add(7 * 24 * time.Hour)
	events := []audience.Event{
		done("Teammate Invited", week, nil), done("Teammate Invited", noon, nil), done("Exported", noon, map[string]any{"rows": 500.0}),
		done("Page Viewed", noon, map[string]any{"path": "/jobs"}), done("Page Viewed", noon, map[string]any{"path": "/"}),
	}
	given := []sales.ScoreChange{{Points: 5, Reason: "downloaded a guide"}, {Points: -2, Reason: "bounced"}}
	who := people{contact: audience.Contact{Traits: map[string]any{"role": "founder", "plan": "trial"}}}
	e, err := sales.Explain(m, sales.Journal{Facts: who, Events: seq(events), Points: seq(given)}, week, 2)
	require.NoError(t, err)
	// product 15 + 7.5 + 12.5, disinterest -10/√2, site 1; given 3
	require.Equal(t, audience.Score{Total: 82, Fit: 50, Engagement: 32, Label: "B2"}, e.Score)
	require.Equal(t, []any{"mql", "founder", 3, 100}, []any{e.Reached, e.Persona, e.ModelVersion, e.FitCap})
	require.Len(t, e.Fit, 5)
	require.Equal(t, sales.FitOrigin{Rule: "plan", Holds: true, Points: 30, Terms: []audience.Term{{Expression: "contact.plan", Value: "trial"}}}, e.Fit[1])
	require.False(t, e.Fit[0].Holds)
	require.Zero(t, e.Fit[0].Points)
	require.Equal(t, []string{"product", "disinterest", "site"}, []string{e.Groups[0].Group, e.Groups[1].Group, e.Groups[2].Group})
	require.Equal(t, []sales.RuleOrigin{{Rule: "invited", Events: 2, Points: 30, Worth: 22.5}, {Rule: "big_export", Events: 1, Points: 25, Worth: 12.5}}, e.Groups[0].Rules)
	require.Equal(t, []any{50, "1w", 35.0, 35.0}, []any{e.Groups[0].Cap, e.Groups[0].HalfLife, e.Groups[0].Worth, e.Groups[0].Counted})
	require.Len(t, e.Events, 2)
	require.Equal(t, 3, e.MoreEvents, "an event with two rules is two origins")
	require.Equal(t, []any{3, given, 0}, []any{e.Given, e.GivenBy, e.MoreGiven})

	capped, err := sales.Explain(m, sales.Journal{Facts: people{}, Events: seq([]audience.Event{events[1], events[1], events[2]}), Points: seq(given)}, noon, 1)
	require.NoError(t, err)
	require.InDelta(t, 50, capped.Groups[0].Counted, 1e-9)
	require.InDelta(t, 55, capped.Groups[0].Worth, 1e-9)
	require.InDelta(t, 15*50.0/55, capped.Events[0].Counted, 1e-9, "its share in what is left within the cap")
	require.Equal(t, 1, capped.MoreGiven)

	lost := errors.New("connection lost")
	_, err = sales.Explain(m, sales.Journal{Facts: people{}, Events: func(yield func(audience.Event, error) bool) { yield(audience.Event{}, lost) }, Points: seq(given)}, noon, 1)
	require.ErrorIs(t, err, lost)

	none, err := sales.Explain(nil, sales.Journal{Events: seq(events), Points: seq(given)}, noon, 10)
	require.NoError(t, err)
	require.Equal(t, audience.Score{Total: 3, Engagement: 3}, none.Score)
}

func TestTraitsAt(t *testing.T) {
	t.Parallel()
	changes := []sales.TraitChange{
		{Traits: map[string]any{"plan": "free", "city": "Bonn"}, At: noon},
		{Traits: map[string]any{"plan": "trial", "old": nil}, At: noon.Add(time.Hour)},
		{Traits: map[string]any{"plan": nil, "seats": 3.0}, At: noon.Add(2 * time.Hour)},
	}
	now := map[string]any{"city": "Bonn", "seats": 3.0, "imported": true}
	for _, row := range []struct {
		at   time.Time
		want map[string]any
	}{
		{noon.Add(-time.Second), map[string]any{"imported": true}},
		{noon, map[string]any{"plan": "free", "city": "Bonn", "imported": true}},
		{noon.Add(time.Hour), map[string]any{"plan": "trial", "city": "Bonn", "imported": true}},
		{noon.Add(2 * time.Hour), now},
	} {
		require.Equal(t, row.want, sales.TraitsAt(now, changes, row.at), row.at)
	}
	require.Equal(t, map[string]any{"city": "Bonn", "seats": 3.0, "imported": true}, now, "nothing was changed")
}

func TestClocks(t *testing.T) {
	t.Parallel()
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	place := func(hours int) *time.Time { moment := at(hours); return &moment }
	clocks := sales.Clocks(noon, "mql", []sales.StageMove{
		{"lead", "mql", at(3)}, {"subscriber", "lead", at(1)}, {"mql", "lead", at(5)}, {"lead", "mql", at(6)},
	}, at(10))
	require.Len(t, clocks, 7)
	require.Equal(t, []sales.StageClock{
		{Stage: "subscriber", Times: 1, EnteredAt: place(0), LatestAt: place(0), LeftAt: place(1), Seconds: 3600},
		{Stage: "lead", Times: 2, EnteredAt: place(1), LatestAt: place(5), LeftAt: place(6), Seconds: 3 * 3600},
		{Stage: "mql", Current: true, Times: 2, EnteredAt: place(3), LatestAt: place(6), LeftAt: place(5), Seconds: 6 * 3600},
		{Stage: "sql"},
	}, clocks[:4])
	fresh := sales.Clocks(noon, "lead", nil, at(1))
	require.Equal(t, sales.StageClock{Stage: "lead", Current: true, Times: 1, EnteredAt: place(0), LatestAt: place(0), Seconds: 3600}, fresh[1])
	require.Equal(t, sales.StageClock{Stage: "subscriber"}, fresh[0])
}

func TestImpact(t *testing.T) {
	t.Parallel()
	m := model(t)
	c := sales.NewImpactCounter(nil, m, 1)
	score := func(fit, engagement int, label string) audience.Score {
		return audience.Score{Total: fit + engagement, Fit: fit, Engagement: engagement, Label: label}
	}
	c.Add("a", "subscriber", score(0, 5, ""), score(30, 25, "B2"))
	c.Add("b", "mql", score(0, 5, ""), score(30, 25, "B2"))
	c.Add("c", "subscriber", score(0, 0, ""), score(-60, 0, "C3"))
	got := c.Impact()
	require.Equal(t, []int{3, 1}, []int{got.Contacts, got.Moves}, "one of them is there already")
	require.Equal(t, []sales.LabelCount{{"B2", 2}, {"C3", 1}}, got.After.Labels)
	require.Equal(t, []sales.TotalCount{{-10, 1}, {50, 2}}, got.After.Totals)
	require.Equal(t, []sales.TotalCount{{0, 3}}, got.Before.Totals)
	require.InDelta(t, 50.0/3, got.After.Average, 1e-9)
	mql := got.Stages[1]
	require.Equal(t, []any{"mql", 0, 2, 2, 0}, []any{mql.Stage, mql.Before, mql.After, mql.Joins, mql.Leaves})
	require.Len(t, mql.Joining, 1, "the first ones are named")
	require.Equal(t, "a", mql.Joining[0].ContactID)
	back := sales.NewImpactCounter(m, nil, 5)
	back.Add("a", "mql", score(30, 25, "B2"), score(0, 5, ""))
	require.Equal(t, 1, back.Impact().Stages[0].Leaves)
	require.Equal(t, "a", back.Impact().Stages[1].Leaving[0].ContactID)
}

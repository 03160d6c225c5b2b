package sales_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
)

// At every moment a history says what an explanation of that moment says, whatever the order in which things became known.
func TestHistoryIsWhatExplanationsSay(t *testing.T) {
	t.Parallel()
	m := model(t)
	rapid.Check(t, func(r *rapid.T) {
		minute := func(name string) time.Time {
			return noon.Add(time.Duration(rapid.IntRange(0, 60*24*60).Draw(r, name)) * time.Minute)
		}
		moments := make([]time.Time, rapid.IntRange(1, 8).Draw(r, "moments"))
		for i := range moments {
			moments[i] = minute("moment")
		}
		slices.SortFunc(moments, time.Time.Compare)
		events := make([]audience.Event, rapid.IntRange(0, 12).Draw(r, "events"))
		for i := range events {
			events[i] = done(rapid.SampledFrom([]string{"Teammate Invited", "Exported", "Page Viewed", "Other"}).Draw(r, "name"), minute("received"),
				map[string]any{"rows": 500.0, "path": rapid.SampledFrom([]string{"/jobs", "/pricing"}).Draw(r, "path")})
			events[i].OccurredAt = events[i].ReceivedAt.Add(-time.Duration(rapid.IntRange(0, 1e6).Draw(r, "late")) * time.Second)
		}
		given := make([]sales.ScoreChange, rapid.IntRange(0, 4).Draw(r, "given"))
		for i := range given {
			given[i] = sales.ScoreChange{Points: rapid.IntRange(-20, 20).Draw(r, "points"), Reason: "why", At: minute("at")}
		}
		from, turn := minute("model"), minute("turn")
		facts := func(at time.Time) audience.Facts {
			plan := "none"
			if at.After(turn) {
				plan = "trial"
			}
			return people{contact: audience.Contact{Traits: map[string]any{"plan": plan}}}
		}
		points, err := sales.History(sales.ScoreJournal{Models: []sales.CountingFrom{{Model: m, From: from}}, Moments: moments, Facts: facts, Events: seq(events), Points: seq(given)})
		require.NoError(r, err)
		require.Len(r, points, len(moments))
		before := 0
		for i, at := range moments {
			counted := m
			if from.After(at) {
				counted = nil
			}
			known := slices.DeleteFunc(slices.Clone(events), func(e audience.Event) bool { return e.ReceivedAt.After(at) })
			got := slices.DeleteFunc(slices.Clone(given), func(c sales.ScoreChange) bool { return c.At.After(at) })
			want, err := sales.Explain(counted, sales.Journal{Facts: facts(at), Events: seq(known), Points: seq(got)}, at, 1)
			require.NoError(r, err)
			require.Equal(r, want.Score, points[i].Score)
			require.Equal(r, want.ModelVersion, points[i].ModelVersion)
			sum := 0.0
			for _, reason := range points[i].Reasons {
				sum += reason.Points
			}
			if len(points[i].Reasons) < 5 {
				require.InDelta(r, points[i].Score.Total-before, sum, 0.5, "the reasons are the difference")
			}
			before = points[i].Score.Total
		}
	})
}

func TestHistoryNamesItsReasons(t *testing.T) {
	t.Parallel()
	week := noon.Add(7 * 24 * time.Hour)
	who := func(time.Time) audience.Facts { return people{contact: audience.Contact{Traits: map[string]any{"plan": "trial"}}} }
	j := sales.ScoreJournal{
		Models: []sales.CountingFrom{{Model: model(t), From: noon}}, Moments: []time.Time{noon, week}, Facts: who,
		Events: seq([]audience.Event{done("Teammate Invited", noon, nil), done("Teammate Invited", noon, nil)}),
		Points: seq([]sales.ScoreChange{{Points: 5, Reason: "downloaded a guide", At: noon}}),
	}
	points, err := sales.History(j)
	require.NoError(t, err)
	require.Equal(t, []sales.HistoryReason{
		{Kind: sales.ReasonFit, Points: 30}, {Kind: sales.ReasonRule, Of: "invited", Points: 30, Events: 2}, {Kind: sales.ReasonGiven, Of: "downloaded a guide", Points: 5},
	}, points[0].Reasons)
	require.Equal(t, []sales.HistoryReason{{Kind: sales.ReasonRest, Points: -15}}, points[1].Reasons, "half of it has faded")

	lost := errors.New("connection lost")
	j.Points = func(yield func(sales.ScoreChange, error) bool) { yield(sales.ScoreChange{}, lost) }
	_, err = sales.History(j)
	require.ErrorIs(t, err, lost)
	j.Events = func(yield func(audience.Event, error) bool) { yield(audience.Event{}, lost) }
	_, err = sales.History(j)
	require.ErrorIs(t, err, lost)
}

// What was thinned tells the same at each of the moments.
func TestThinnedTraitsAreTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		hour := func(name string) time.Time { return noon.Add(time.Duration(rapid.IntRange(0, 20).Draw(r, name)) * time.Hour) }
		traits := rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.SampledFrom([]any{nil, 1.0, 2.0}), 0, 3)
		changes := make([]sales.TraitChange, rapid.IntRange(0, 10).Draw(r, "changes"))
		for i := range changes {
			changes[i] = sales.TraitChange{Traits: traits.Draw(r, "traits"), At: hour("at")}
		}
		moments := make([]time.Time, rapid.IntRange(1, 5).Draw(r, "moments"))
		for i := range moments {
			moments[i] = hour("moment")
		}
		slices.SortFunc(moments, time.Time.Compare)
		now := map[string]any{"a": 7.0, "d": 8.0}
		thinned := sales.Thinned(changes, moments)
		for _, at := range moments {
			require.Equal(r, sales.TraitsAt(now, changes, at), sales.TraitsAt(now, thinned, at))
		}
	})
}

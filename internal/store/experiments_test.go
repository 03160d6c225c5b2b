package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// look counts an experiment as the judge does, without goals that have a condition, and gives back what is kept.
func look(t *testing.T, s *store.Store, id string, now time.Time) journey.ExperimentRecord {
	t.Helper()
	r, err := s.FindExperiment(t.Context(), id)
	require.NoError(t, err)
	_, err = s.ConvertContacts(t.Context(), r, 10)
	require.NoError(t, err)
	tallies, draws, err := s.CountExperiment(t.Context(), id)
	require.NoError(t, err)
	counts := r.CountArms(tallies, draws)
	require.NoError(t, s.SaveLook(t.Context(), id, counts, r.NextDraw(counts, r.Draw, now), nil, now))
	r, err = s.FindExperiment(t.Context(), id)
	require.NoError(t, err)
	return r
}

func compared(t *testing.T, experiment string) journey.Planned {
	t.Helper()
	definition, problems := journey.Check([]byte(`{"journey":"compared","enter":[{"event":"Begin"}],"goal":{"event":"Paid"},"steps":[
		{"id":"nudge","split":[{"weight":1,"name":"short","go":"done"},{"weight":1,"name":"long","go":"done"}],"experiment":`+experiment+`},
		{"id":"done","exit":"finished"}]}`), journey.Known{})
	require.Empty(t, problems)
	return definition.Experiments()[0]
}

// give gives a contact an arm, whatever it is.
func give(t *testing.T, s *store.Store, p journey.Planned, contactID string, a journey.Assignment, at time.Time) {
	t.Helper()
	inContact(t, s, contactID, func(ctx context.Context, tx *store.ContactTx) {
		_, _, err := tx.FindStanding(ctx, p, at)
		require.NoError(t, err)
		require.NoError(t, tx.KeepArm(ctx, p.ID(), a, at))
	})
}

func did(t *testing.T, s *store.Store, contactID, name string, at time.Time, properties map[string]any) {
	t.Helper()
	ingest(t, s, at, audience.Incoming{Source: "test", MessageID: uuid.NewString(), Type: audience.TypeSignal, ContactID: contactID, Name: name, OccurredAt: at, Properties: properties})
}

func TestContactsCountOnceAndInTime(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	p := compared(t, `{"within":"7d"}`)
	ids := make([]string, 5)
	for i := range ids {
		ids[i] = newContact(t, s)
		did(t, s, ids[i], "Paid", start.Add(-time.Hour), nil) // before it got its arm
		give(t, s, p, ids[i], journey.Assignment{Arm: i % 2, Counted: i < 4}, start)
		give(t, s, p, ids[i], journey.Assignment{Arm: 1 - i%2, Counted: true}, start.Add(time.Hour)) // the first stands
	}
	require.Equal(t, []journey.ArmCount{{Entered: 2, Expected: 2}, {Entered: 2, Expected: 2}}, look(t, s, p.ID(), start).Counts)
	did(t, s, ids[0], "Paid", start.Add(time.Hour), nil)
	did(t, s, ids[0], "Paid", start.Add(2*time.Hour), nil)
	did(t, s, ids[1], "Other", start.Add(time.Hour), nil)
	did(t, s, ids[2], "Paid", start.Add(7*24*time.Hour), nil)
	did(t, s, ids[3], "Paid", start.Add(7*24*time.Hour+time.Second), nil)
	did(t, s, ids[4], "Paid", start.Add(time.Hour), nil) // got the winner: not counted
	for range 2 {
		require.Equal(t, []journey.ArmCount{{Entered: 2, Converted: 2, Expected: 2}, {Entered: 2, Expected: 2}}, look(t, s, p.ID(), start.Add(7*24*time.Hour+time.Minute)).Counts)
	}
	require.Equal(t, int64(2), look(t, s, p.ID(), start.Add(60*24*time.Hour)).Counts[0].Converted, "what is over is not looked at again, and stays")
}

// Goals with a condition are found for those who have new events, each event once.
func TestMaybeConverted(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	p := compared(t, `{"goal":[{"event":"Bought","when":"event.amount > 10"},{"event":"Paid"}]}`)
	id := newContact(t, s)
	did(t, s, id, "Bought", start, nil)
	give(t, s, p, id, journey.Assignment{Counted: true}, start.Add(time.Minute))
	maybe := func() []string {
		r, err := s.FindExperiment(t.Context(), p.ID())
		require.NoError(t, err)
		found, err := s.ConvertContacts(t.Context(), r, 10)
		require.NoError(t, err)
		return found
	}
	require.Empty(t, maybe())
	did(t, s, id, "Bought", start.Add(time.Hour), nil)
	require.Equal(t, []string{id}, maybe())
	inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.SetConverted(ctx, p.ID(), nil, tx.LastSeq()))
	})
	require.Empty(t, maybe(), "looked at")
	did(t, s, id, "Bought", start.Add(2*time.Hour), nil)
	require.Equal(t, []string{id}, maybe())
	did(t, s, id, "Paid", start.Add(3*time.Hour), nil)
	require.Empty(t, maybe(), "the other goal was reached")
	require.Equal(t, int64(1), look(t, s, p.ID(), start).Counts[0].Converted)
}

// The first winner that is named stands, however many look at once; by hand another one may be chosen, and all choices are kept.
func TestWinnersAreKept(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	p := compared(t, `{"winner":"automatic"}`)
	_, err := s.FindExperiment(t.Context(), p.ID())
	requireFault(t, err, fault.NotFound, "experiment_not_found")
	_, err = s.SaveExperiments(t.Context(), []journey.Planned{p}, start)
	require.NoError(t, err)
	for i, by := range []string{journey.ByThroughline, "another worker"} {
		w := journey.ExperimentWinner{Port: fmt.Sprint(i), Since: start.Add(time.Duration(i) * time.Minute), By: by}
		require.NoError(t, s.SaveLook(t.Context(), p.ID(), nil, nil, &w, start))
	}
	r, err := s.FindExperiment(t.Context(), p.ID())
	require.NoError(t, err)
	require.Equal(t, journey.Standing{Revision: 2, Winner: &journey.ExperimentWinner{Port: "0", Since: start, By: journey.ByThroughline}}, r.Standing)
	one, two := int64(1), int64(2)
	ana := journey.ExperimentWinner{Port: "1", Since: start.Add(time.Hour), By: "ana"}
	_, err = s.ChooseWinner(t.Context(), p.ID(), ana, &one)
	requireFault(t, err, fault.Conflict, "stale_revision")
	r, err = s.ChooseWinner(t.Context(), p.ID(), ana, &two)
	require.NoError(t, err)
	require.Equal(t, journey.Standing{Revision: 3, Winner: &ana}, r.Standing)
	_, err = s.ChooseWinner(t.Context(), "none", ana, nil)
	requireFault(t, err, fault.NotFound, "experiment_not_found")
	id := newContact(t, s)
	inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
		standing, before, err := tx.FindStanding(ctx, p, start)
		require.NoError(t, err)
		require.Nil(t, before)
		require.Equal(t, r.Standing, standing)
	})
	var told string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT string_agg(arm || ' ' || by, ', ' ORDER BY revision) FROM experiment_winners").Scan(&told))
	require.Equal(t, "0 Throughline, 1 ana", told)
}

func TestDrawsAreKept(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	p := compared(t, `{"mode":"thompson","floor":10}`)
	for i := range 12 {
		give(t, s, p, newContact(t, s), journey.Assignment{Arm: i % 2, Counted: true}, start)
	}
	r := look(t, s, p.ID(), start)
	require.Equal(t, 1, r.Draw.Number)
	require.Equal(t, r.Draw, look(t, s, p.ID(), start.Add(time.Hour)).Draw, "nothing has come since")
	id := newContact(t, s)
	give(t, s, p, id, journey.Assignment{Arm: 1, Draw: 1, Counted: true}, start)
	inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
		standing, before, err := tx.FindStanding(ctx, p, start)
		require.NoError(t, err)
		require.Equal(t, r.Draw, standing.Draw)
		require.Equal(t, 1, before.Arm)
	})
	counts := look(t, s, p.ID(), start.Add(2*time.Hour)).Counts
	require.InDelta(t, 6+float64(r.Draw.Weights[1])/1e6, counts[1].Expected, 1e-6, "expected by the weights of its time")
}

// A live version that has an experiment no more retires it; another that has it again takes it up with what it has counted.
func TestExperimentsComeAndGo(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	p, other := compared(t, `{}`), compared(t, `{"within":"1d"}`)
	live := func(want bool, plans ...journey.Planned) {
		_, err := s.SaveExperiments(t.Context(), plans, start)
		require.NoError(t, err)
		r, err := s.FindExperiment(t.Context(), p.ID())
		require.NoError(t, err)
		require.Equal(t, want, r.Live)
	}
	live(true, p)
	give(t, s, p, newContact(t, s), journey.Assignment{Counted: true}, start)
	live(false, other)
	p.Automatic = true
	live(true, p)
	r := look(t, s, p.ID(), start)
	require.True(t, r.Automatic, "how it is run may change")
	require.Equal(t, int64(1), r.Counts[0].Entered)
	page, err := s.ListExperiments(t.Context(), "compared", "", 1)
	require.NoError(t, err)
	require.Equal(t, other.ID(), page.Items[0].ID(), "the newest first")
	page, err = s.ListExperiments(t.Context(), "", page.Next, 1)
	require.NoError(t, err)
	require.Equal(t, p.ID(), page.Items[0].ID())
	require.Empty(t, page.Next)
	page, err = s.ListExperiments(t.Context(), "none", "", 1)
	require.NoError(t, err)
	require.Empty(t, page.Items)
}

// Of two contacts that are one, the arm that was given first stands, and goals of both count.
func TestMergedContactsHaveOneArm(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	p := compared(t, `{"goal":[{"event":"Bought","when":"event.amount > 10"},{"event":"Paid"}]}`)
	both := func(first, second string) {
		into, from := newContact(t, s), newContact(t, s)
		did(t, s, into, "Other", start.Add(-time.Hour), nil)
		early, late := map[string]string{"into": into, "from": from}[first], map[string]string{"into": into, "from": from}[second]
		give(t, s, p, early, journey.Assignment{Arm: 0, Counted: true}, start)
		give(t, s, p, late, journey.Assignment{Arm: 1, Counted: true}, start.Add(time.Hour))
		did(t, s, late, "Paid", start.Add(2*time.Hour), nil)
		_, err := s.MergeContacts(t.Context(), start.Add(3*time.Hour), into, from)
		require.NoError(t, err)
	}
	both("into", "from")
	both("from", "into")
	counts := look(t, s, p.ID(), start.Add(4*time.Hour)).Counts
	require.Equal(t, []journey.ArmCount{{Entered: 2, Converted: 2, Expected: 1}, {Expected: 1}}, counts)
}

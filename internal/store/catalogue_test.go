package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func through(t *testing.T, c *store.Catalogue, now time.Time, events ...audience.Incoming) []audience.Accepted {
	t.Helper()
	accepted, err := c.Ingest(t.Context(), now, events)
	require.NoError(t, err)
	require.Len(t, accepted, len(events))
	return accepted
}

func TestCatalogueNotesWhatComesIn(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	c := store.NewCatalogue(s)
	ctx := t.Context()
	for i := range 4 {
		event := track(fmt.Sprint("u", i), "Purchase", fmt.Sprint("m", i))
		event.Properties = map[string]any{"plan": "pro", "amount": float64(i)}
		at := start.Add(time.Duration(i) * time.Minute)
		through(t, c, at, event, event, identify(event.UserID, fmt.Sprint("i", i), map[string]any{"city": "Berlin", "first_name": event.UserID}))
		through(t, c, at, event)
		require.NoError(t, c.Flush(ctx))
	}
	mixed := track("u9", "Purchase", "m9")
	mixed.Properties = map[string]any{"plan": 7.0}
	through(t, c, start, mixed)
	require.NoError(t, c.Flush(ctx))
	require.NoError(t, c.Flush(ctx), "nothing new is nothing to write")

	name, properties, err := s.FindEventName(ctx, "Purchase")
	require.NoError(t, err)
	last := start.Add(3 * time.Minute)
	first := start
	require.Equal(t, audience.EventName{Name: "Purchase", Count: 5, FirstSeen: &first, LastSeen: &last}, name, "duplicates are not counted")
	require.Equal(t, []audience.PropertyName{
		{Name: "amount", Types: []audience.SeenType{{Type: audience.NumberValue, Count: 4, Samples: []string{}}}},
		{Name: "plan", Types: []audience.SeenType{
			{Type: audience.TextValue, Count: 4, Samples: []string{"pro"}}, {Type: audience.NumberValue, Count: 1, Samples: []string{}},
		}},
	}, properties)
	traits, err := s.ListTraitNames(ctx, "", "", 10)
	require.NoError(t, err)
	require.Len(t, traits.Items, 2)
	require.Equal(t, []audience.SeenType{{Type: audience.TextValue, Count: 4, Samples: []string{"Berlin"}}}, traits.Items[0].Types)
	require.Equal(t, []audience.SeenType{{Type: audience.TextValue, Count: 4, Samples: []string{}}}, traits.Items[1].Types, "a first name is somebody's own")
}

func TestSamplesKeepTheNewestFirst(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	c := store.NewCatalogue(s)
	for value := range 12 {
		for contact := range 3 {
			event := track(fmt.Sprint("u", contact), "Chose", fmt.Sprint(value, "-", contact))
			event.Properties = map[string]any{"plan": fmt.Sprint("p", value)}
			through(t, c, start, event)
		}
		require.NoError(t, c.Flush(t.Context()))
	}
	_, properties, err := s.FindEventName(t.Context(), "Chose")
	require.NoError(t, err)
	require.Equal(t, []string{"p11", "p10", "p9", "p8", "p7", "p6", "p5", "p4"}, properties[0].Types[0].Samples)
}

func TestCatalogueRules(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	c := store.NewCatalogue(s)
	ctx := t.Context()
	now := start
	through(t, c, now, track("u", "signup", "m0"))
	_, err := s.SaveEventRule(ctx, "signup", "Signed Up", false)
	require.NoError(t, err)
	_, err = s.SaveEventRule(ctx, "Spam", "", true)
	require.NoError(t, err)
	_, err = s.DeclareTrait(ctx, "seats", audience.NumberValue)
	require.NoError(t, err)
	now = now.Add(time.Second) // the rules are read again
	got := through(t, c, now, track("u", "Spam", "m1"), track("u", "signup", "m2"), track("u", "Spam", "m3"),
		identify("u", "m4", map[string]any{"seats": "42"}), identify("u", "m5", map[string]any{"seats": "many", "plan": "pro"}))
	require.Equal(t, []bool{true, false, true, false, false}, []bool{got[0].Blocked, got[1].Blocked, got[2].Blocked, got[3].Blocked, got[4].Blocked})
	require.Equal(t, audience.Accepted{Blocked: true}, got[0])
	require.Equal(t, []int64{2, 3, 4}, []int64{got[1].Seq, got[3].Seq, got[4].Seq}, "nothing of a blocked event is stored")
	var name string
	require.NoError(t, conn.QueryRow(ctx, "SELECT name FROM events WHERE id = $1", got[1].EventID).Scan(&name))
	require.Equal(t, "Signed Up", name)
	contact, err := s.FindContactBy(ctx, store.KindUserID, "u")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"seats": "many", "plan": "pro"}, contact.Traits, "what can't be made a number is kept as it was sent")
	var seats float64
	require.NoError(t, conn.QueryRow(ctx, "SELECT (properties ->> 'seats')::float8 FROM events WHERE id = $1 AND jsonb_typeof(properties -> 'seats') = 'number'",
		got[3].EventID).Scan(&seats))
	require.InDelta(t, 42, seats, 0)
	require.Equal(t, []audience.Accepted{{Blocked: true}}, through(t, c, now, track("u", "Spam", "m6")), "a batch of nothing else")
	require.NoError(t, c.Flush(ctx))

	spam, _, err := s.FindEventName(ctx, "Spam")
	require.NoError(t, err)
	require.Equal(t, audience.EventName{Name: "Spam", Blocked: true, BlockedCount: 3}, spam)
	traits, err := s.ListTraitNames(ctx, "SEA", "", 10)
	require.NoError(t, err)
	require.Len(t, traits.Items, 1)
	require.Equal(t, []any{audience.NumberValue, int64(1)}, []any{traits.Items[0].Declared, traits.Items[0].Mismatches})

	known, err := s.KnownEvents(ctx)
	require.NoError(t, err)
	require.Equal(t, &audience.KnownEvents{Seen: []string{"Signed Up"}, Renamed: map[string]string{"signup": "Signed Up"}, Blocked: map[string]bool{"Spam": true}}, known)
	_, err = s.SaveEventRule(ctx, "Spam", "", false)
	require.NoError(t, err)
	require.Equal(t, int64(5), through(t, c, now.Add(time.Second), track("u", "Spam", "m1"))[0].Seq, "what was blocked was never accepted")
}

func TestEventRulesAreRefused(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx := t.Context()
	_, err := s.SaveEventRule(ctx, "a", "b", false)
	require.NoError(t, err)
	for _, c := range []struct {
		name, to string
		blocked  bool
		kind     fault.Kind
		code     string
	}{
		{"", "x", false, fault.Invalid, "bad_name"},
		{"x", "x", false, fault.Invalid, "renamed_to_itself"},
		{"x", "y", true, fault.Invalid, "one_rule"},
		{"Segment Entered: vip", "", true, fault.Invalid, "reserved_name"},
		{"x", "Stage Entered: mql", false, fault.Invalid, "reserved_name"},
		{"x", "a", false, fault.Conflict, "rename_chain"},
		{"b", "x", false, fault.Conflict, "rename_chain"},
		{"b", "", true, fault.Conflict, "rename_chain"},
	} {
		_, err := s.SaveEventRule(ctx, c.name, c.to, c.blocked)
		requireFault(t, err, c.kind, c.code)
	}
	for name, kind := range map[string]audience.ValueType{"": "text", "x": "list", "email": "number"} {
		_, err := s.DeclareTrait(ctx, name, kind)
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
	}
	_, _, err = s.FindEventName(ctx, "nothing")
	requireFault(t, err, fault.NotFound, "event_name_not_found")
}

func TestCatalogueStopsGrowing(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	c := store.NewCatalogue(s)
	_, err := conn.Exec(t.Context(), "INSERT INTO event_names (name, count) SELECT 'n' || i, 1 FROM generate_series(1, 10000) i")
	require.NoError(t, err)
	through(t, c, start, track("u", "n1", "m1"), track("u", "One Too Many", "m2"))
	require.NoError(t, c.Flush(t.Context()))
	var count int64
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM event_names").Scan(&count))
	require.Equal(t, int64(10000), count)
	name, _, err := s.FindEventName(t.Context(), "n1")
	require.NoError(t, err)
	require.Equal(t, int64(2), name.Count)
}

// Processes that write the same names at once count all of them.
func TestCataloguesOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	work, ctx := errgroup.WithContext(t.Context())
	for p := range 4 {
		c := store.NewCatalogue(s)
		ticks := make(chan time.Time)
		running, stop := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() {
			var failed error
			c.Run(running, ticks, func(err error) { failed = err })
			ended <- failed
		}()
		work.Go(func() error {
			defer stop()
			for i := range 10 {
				batch := []audience.Incoming{}
				for _, name := range []string{"A", "B", "C"} {
					batch = append(batch, track(fmt.Sprint("u", p), name, fmt.Sprint(p, "-", i, name)))
				}
				if _, err := c.Ingest(ctx, start, batch); err != nil {
					return err
				}
				if i%3 == 0 {
					ticks <- start
				}
			}
			stop()
			return <-ended // which has written the rest
		})
	}
	require.NoError(t, work.Wait())
	page, err := s.ListEventNames(t.Context(), "", "", 10)
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	for _, name := range page.Items {
		require.Equal(t, int64(40), name.Count, name.Name)
	}
}

// BenchmarkCatalogue takes batches of 100 events in with and without the catalogue, in turn, so that whatever else the machine does falls on
// both. What counts is the ratio of the two.
func BenchmarkCatalogue(b *testing.B) {
	s := storetest.New(b)
	c := store.NewCatalogue(s)
	sides := []struct {
		name   string
		ingest func(context.Context, time.Time, []audience.Incoming) ([]audience.Accepted, error)
		took   time.Duration
	}{{name: "without", ingest: s.Ingest}, {name: "with", ingest: c.Ingest}}
	now, written := start, time.Now()
	for i := 0; b.Loop(); i++ {
		for turn := range sides {
			side := &sides[(i+turn)%2]
			batch := make([]audience.Incoming, 100)
			for n := range batch {
				batch[n] = track(fmt.Sprint("u", (i*100+n)%5000), "Purchase", fmt.Sprint(side.name, b.N, "-", i, "-", n))
				batch[n].Properties = map[string]any{"plan": "pro", "amount": float64(n), "currency": "EUR", "first": true}
			}
			began := time.Now()
			_, err := side.ingest(b.Context(), now, batch)
			if side.name == "with" && began.Sub(written) > time.Second {
				written = began
				require.NoError(b, c.Flush(b.Context()))
			}
			side.took += time.Since(began)
			require.NoError(b, err)
		}
		now = now.Add(10 * time.Millisecond)
	}
	b.ReportMetric(float64(sides[1].took)/float64(sides[0].took), "with/without")
}

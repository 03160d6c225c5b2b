package audience_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
)

// journalFacts answers from a list of events, at any moment.
type journalFacts struct {
	memoryFacts
	events []audience.Event
}

func (f *journalFacts) Tally(q audience.Question) (audience.Tally, error) {
	return audience.TallyEvents(f.events, q, f.now)
}

func (f *journalFacts) Last(name string) (at time.Time, ok bool, err error) {
	for _, e := range f.events {
		if e.Name == name && !e.OccurredAt.After(f.now) && (!ok || e.OccurredAt.After(at)) {
			at, ok = e.OccurredAt, true
		}
	}
	return at, ok, nil
}

func (f *journalFacts) at(now time.Time) *journalFacts {
	other := *f
	other.now = now
	return &other
}

var standStart = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func drawTerm(r *rapid.T) string {
	name := rapid.SampledFrom([]string{"A", "B"}).Draw(r, "name")
	window := rapid.SampledFrom([]string{"1h", "6h", "1d", "3d"}).Draw(r, "window")
	return rapid.SampledFrom([]string{
		fmt.Sprintf(`did(%q, %q)`, name, window),
		fmt.Sprintf(`!did(%q, %q)`, name, window),
		fmt.Sprintf(`count(%q, %q) >= 2`, name, window),
		fmt.Sprintf(`count(%q, %q, "event.n > 1") == 1`, name, window),
		fmt.Sprintf(`now - last(%q) > duration("5h")`, name),
		fmt.Sprintf(`last(%q) + duration("26h") <= now`, name),
		`timestamp(contact.ends) - now < duration("30h")`,
		`now == timestamp(contact.ends)`,
		`contact.plan == "trial"`,
		`now - timestamp(contact.unknown) > duration("1h")`,
	}).Draw(r, "term")
}

// Until its time has come, nothing but news can change an answer. And the quick answer is the careful one.
func TestStandsHoldsUntil(t *testing.T) {
	t.Parallel()
	moved := 0
	rapid.Check(t, func(r *rapid.T) {
		terms := make([]string, rapid.IntRange(1, 3).Draw(r, "terms"))
		for i := range terms {
			terms[i] = drawTerm(r)
		}
		source := strings.Join(terms, rapid.SampledFrom([]string{" && ", " || "}).Draw(r, "operator"))
		c, err := audience.CompileCondition(source)
		require.NoError(r, err)
		f := &journalFacts{memoryFacts: memoryFacts{now: standStart, contact: audience.Contact{Traits: map[string]any{
			"plan": rapid.SampledFrom([]string{"trial", "paid"}).Draw(r, "plan"),
			"ends": standStart.Add(time.Duration(rapid.IntRange(-40, 40).Draw(r, "ends")) * time.Hour).Format(time.RFC3339),
		}}}}
		for i := range rapid.IntRange(0, 6).Draw(r, "events") {
			f.events = append(f.events, audience.Event{
				Name:       rapid.SampledFrom([]string{"A", "B"}).Draw(r, "name"),
				Properties: map[string]any{"n": float64(i % 3)},
				OccurredAt: standStart.Add(-time.Duration(rapid.IntRange(0, 100).Draw(r, "hours ago")) * time.Hour),
			})
		}
		for now := standStart; now.Before(standStart.Add(200 * time.Hour)); {
			standing, err := c.Stands(f.at(now))
			require.NoError(r, err)
			verdict, err := c.Holds(f.at(now))
			require.NoError(r, err)
			require.Equal(r, verdict.Holds, standing.Holds, source)
			until := standing.Until
			if until.IsZero() {
				until = standStart.Add(1000 * time.Hour)
			}
			require.True(r, until.After(now), "time goes on")
			for _, share := range []float64{0, 0.3, 0.9} {
				at := now.Add(time.Duration(share * float64(until.Sub(now)))).Truncate(time.Microsecond)
				later, err := c.Stands(f.at(at))
				require.NoError(r, err)
				require.Equalf(r, standing.Holds, later.Holds, "%s at %s, until %s", source, at, until)
			}
			before, err := c.Stands(f.at(until.Add(-time.Microsecond)))
			require.NoError(r, err)
			require.Equalf(r, standing.Holds, before.Holds, "%s just before %s", source, until)
			if after, err := c.Stands(f.at(until)); err == nil && after.Holds != standing.Holds {
				moved++
			}
			now = until
		}
	})
	require.Positive(t, moved, "time has moved somebody")
}

func TestFiltersLookAtTheEventAlone(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`count("A", "30d", "contact.plan == 'x'") > 1`: "event.* alone",
		`count("A", "30d", "event.n >") > 1`:           "filter in count",
		`did("A", "30d", contact.filter)`:              "written out",
		`did("A", "30d", "true")`:                      "event.* alone",
	} {
		_, err := audience.CompileCondition(source)
		require.ErrorContains(t, err, want, source)
	}
}

func TestConditionsSeeWhereEventsCameFrom(t *testing.T) {
	t.Parallel()
	c, err := audience.CompileCondition(`event.context.campaign.source == "news" && object("plan") == null && fit >= 0`)
	require.NoError(t, err)
	f := ana()
	f.event = &audience.Event{Context: map[string]any{"campaign": map[string]any{"source": "news"}}}
	standing, err := c.Stands(f)
	require.NoError(t, err)
	require.True(t, standing.Holds)
	require.True(t, standing.Until.IsZero())
}

func TestSegmentsRefuseWhatNobodyCanWatch(t *testing.T) {
	t.Parallel()
	for _, source := range []string{`now.getHours() == 3`, `did("A", contact.window)`, `event.x == 1`, `in_segment("x")`} {
		_, err := audience.CompileSegment(source)
		require.Error(t, err, source)
	}
	for _, source := range []string{`now - last("Seen") > duration("336h")`, `!(did("A", "1d") || contact.ends < now)`} {
		_, err := audience.CompileSegment(source)
		require.NoError(t, err, source)
	}
}

func BenchmarkConditions(b *testing.B) {
	c, err := audience.CompileCondition(`contact.plan == "trial" && contact.seats > 3 && stage == "lead" && did("Login", "7d")`)
	require.NoError(b, err)
	f := ana()
	b.Run("Holds", func(b *testing.B) {
		for b.Loop() {
			_, _ = c.Holds(f)
		}
	})
	b.Run("Stands", func(b *testing.B) {
		for b.Loop() {
			_, _ = c.Stands(f)
		}
	})
}

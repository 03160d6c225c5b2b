package audience_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/audience/conditiontest"
)

func TestTrend(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]audience.Trend{
		`did("Bought")`: audience.Rising,
		`did("Bought", "7d", "event.amount > 3")`: audience.Rising,
		`!did("Bought")`:                                   audience.Falling,
		`count("Bought") >= 3`:                             audience.Rising,
		`count("Bought") > 3`:                              audience.Rising,
		`3 <= count("Bought")`:                             audience.Rising,
		`count("Bought", "1d") < contact.seats`:            audience.Falling,
		`2 >= count("Bought")`:                             audience.Falling,
		`!(count("Bought") < 3 || !did("Seen"))`:           audience.Rising,
		`contact.plan == "trial" && did("Bought")`:         audience.Rising,
		`did("Seen") || count("Bought") > 1`:               audience.Rising,
		`did("Seen") && !did("Bought")`:                    audience.Unknown,
		`did("Seen") != did("Bought")`:                     audience.Unknown,
		`count("Bought") == 3`:                             audience.Unknown,
		`count("Bought") != 3`:                             audience.Unknown,
		`count("Bought") > count("Seen")`:                  audience.Unknown,
		`count("Bought") * -1 > 3`:                         audience.Unknown,
		`last("Seen") > timestamp("2026-01-01T00:00:00Z")`: audience.Unknown,
		`contact.vip ? did("Seen") : did("Bought")`:        audience.Unknown,
		`contact.plan == "trial"`:                          audience.Unknown,
		`[1].exists(n, did("Seen"))`:                       audience.Unknown,
	} {
		c, err := audience.CompileCondition(source)
		require.NoError(t, err, source)
		require.Equal(t, want, c.Trend(), source)
	}
}

// One more event never moves a condition against its trend, whatever is missing or of the wrong type.
func TestTrendProperty(t *testing.T) {
	t.Parallel()
	cache := audience.NewConditionCache(4096)
	moved := 0
	rapid.Check(t, func(t *rapid.T) {
		c, err := cache.Compile(drawSteady(t, 3))
		require.NoError(t, err)
		facts := &conditiontest.Person{C: audience.Contact{Traits: map[string]any{}}, Time: noon}
		for _, key := range []string{"plan", "seats", "vip"} {
			facts.C.Traits[key] = rapid.SampledFrom([]any{nil, 1.0, 2.0, "trial", true, false}).Draw(t, key)
		}
		standing, err := c.Stands(facts)
		require.NoError(t, err)
		for range 4 {
			facts.Events = append(facts.Events, audience.Event{
				Name: rapid.SampledFrom([]string{"Seen", "Bought"}).Draw(t, "event"), Properties: map[string]any{"amount": rapid.SampledFrom([]any{1.0, 9.0, "x", nil}).Draw(t, "amount")},
				OccurredAt: facts.Now().Add(-time.Duration(rapid.IntRange(-2, 100).Draw(t, "hours ago")) * time.Hour),
			})
			next, err := c.Stands(facts)
			require.NoError(t, err)
			switch c.Trend() {
			case audience.Rising:
				require.False(t, standing.Holds && !next.Holds, c.String())
			case audience.Falling:
				require.False(t, !standing.Holds && next.Holds, c.String())
			case audience.Unknown:
			}
			if c.Trend() != audience.Unknown && standing.Holds != next.Holds {
				moved++
			}
			standing = next
		}
	})
	require.Positive(t, moved, "no drawn condition ever moved along its trend: nothing was shown")
}

func drawSteady(t *rapid.T, depth int) string {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
		return rapid.SampledFrom([]string{
			`did("Seen")`, `did("Bought", "1d")`, `did("Bought", "2d", "event.amount > 3")`, `count("Seen") >= 2`, `count("Bought") > contact.seats`,
			`1 < count("Seen", "3d")`, `2 >= count("Bought")`, `count("Bought") < 2`, `count("Seen") == 2`, `contact.vip`, `contact.plan == "trial"`, `contact.seats > 1`,
		}).Draw(t, "term")
	}
	switch rapid.IntRange(0, 4).Draw(t, "operator") {
	case 0, 1:
		return "(" + drawSteady(t, depth-1) + " && " + drawSteady(t, depth-1) + ")"
	case 2, 3:
		return "(" + drawSteady(t, depth-1) + " || " + drawSteady(t, depth-1) + ")"
	}
	return "!(" + drawSteady(t, depth-1) + ")"
}

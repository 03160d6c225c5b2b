package audience_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
)

var seenAt = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func tracked(name string, properties map[string]any) audience.Incoming {
	return audience.Incoming{Type: audience.TypeTrack, Name: name, Properties: properties}
}

func TestApplyRules(t *testing.T) {
	t.Parallel()
	traits := map[string]any{"seats": "42", "plan": "pro", "vip": "maybe", "gone": nil}
	batch := []audience.Incoming{
		tracked("Spam", nil), tracked("Old", nil), {Type: audience.TypeIdentify, Name: "", Traits: traits},
		{Type: audience.TypeSystem, Name: "Spam"}, tracked("Other", nil),
	}
	rules := audience.CatalogueRules{
		Renamed: map[string]string{"Old": "New"}, Blocked: map[string]bool{"Spam": true, "": true},
		Declare: map[string]audience.ValueType{"seats": audience.NumberValue, "vip": audience.BooleanValue, "gone": audience.TextValue, "plan": audience.TextValue},
	}
	got := rules.Apply(batch)
	require.Equal(t, []int{1, 2, 3, 4}, got.At)
	require.Equal(t, []string{"New", "", "Spam", "Other"}, []string{got.Events[0].Name, got.Events[1].Name, got.Events[2].Name, got.Events[3].Name})
	require.Equal(t, map[string]any{"seats": 42.0, "plan": "pro", "vip": "maybe", "gone": nil}, got.Events[1].Traits)
	require.Equal(t, map[string]int64{"Spam": 1}, got.Blocked)
	require.Equal(t, map[string]int64{"vip": 1}, got.Mismatches)
	require.Equal(t, "42", traits["seats"], "the sender's own map is left alone")
	require.Equal(t, "Old", batch[1].Name)

	untouched := audience.CatalogueRules{}.Apply(batch)
	require.Nil(t, untouched.At)
	require.Len(t, untouched.Events, len(batch))
}

func TestHints(t *testing.T) {
	t.Parallel()
	known := &audience.KnownEvents{
		Seen: []string{"Account Closed", "Project Created", "Signed Up"}, Renamed: map[string]string{"signup": "Signed Up"}, Blocked: map[string]bool{"Spam": true},
	}
	for name, want := range map[string][2]string{
		"Project Created":      {"", ""},
		"Project created":      {audience.CodeEventNeverSeen, "`Project created` was never seen; did you mean `Project Created`?"},
		"Projct Created":       {audience.CodeEventNeverSeen, "`Projct Created` was never seen; did you mean `Project Created`?"},
		"Quite Another":        {audience.CodeEventNeverSeen, "`Quite Another` was never seen."},
		"signup":               {audience.CodeEventRenamed, "`signup` is renamed to `Signed Up` on its way in: write `Signed Up`."},
		"Spam":                 {audience.CodeEventBlocked, "`Spam` is blocked in the catalogue: events of this name are not taken in."},
		"Segment Entered: vip": {"", ""},
		audience.PageViewed:    {"", ""},
	} {
		code, message := known.Hint(name)
		require.Equal(t, want, [2]string{code, message}, name)
	}
	for _, nothing := range []*audience.KnownEvents{nil, {}} {
		code, _ := nothing.Hint("Project created")
		require.Empty(t, code, "an empty catalogue knows nothing")
	}
}

func TestObserver(t *testing.T) {
	t.Parallel()
	o := audience.NewObserver()
	for contact := range 4 {
		event := tracked("Purchase", map[string]any{"plan": "pro", "amount": float64(contact), "at": "2026-03-01T09:00:00Z", "note": nil, "tags": []any{"x"}})
		event.Traits = map[string]any{"city": "Berlin", "first_name": fmt.Sprintf("Name%d", contact)}
		o.See(&event, fmt.Sprint(contact), seenAt.Add(time.Duration(contact)*time.Minute))
	}
	got := o.Take()
	purchase := got.Events["Purchase"]
	require.Equal(t, int64(4), purchase.Count)
	require.Equal(t, []time.Time{seenAt, seenAt.Add(3 * time.Minute)}, []time.Time{purchase.First, purchase.Last})
	require.Equal(t, &audience.ObservedType{Count: 4, Samples: []string{"pro"}}, clearLooks(purchase.Properties["plan"][audience.TextValue]))
	require.Equal(t, int64(4), purchase.Properties["at"][audience.TimeValue].Count)
	require.Equal(t, int64(4), purchase.Properties["tags"][audience.ListValue].Count)
	require.NotContains(t, purchase.Properties, "note")
	require.Empty(t, purchase.Properties["amount"][audience.NumberValue].Samples, "a value of one contact alone is nobody else's business")
	require.Equal(t, []string{"Berlin"}, got.Traits["city"].Properties[""][audience.TextValue].Samples)
	require.Empty(t, got.Traits["first_name"].Properties[""][audience.TextValue].Samples)
	require.True(t, o.Take().Empty(), "taken is taken")
}

func clearLooks(t *audience.ObservedType) *audience.ObservedType {
	return &audience.ObservedType{Count: t.Count, Samples: t.Samples}
}

func TestObserverShowsNoAddresses(t *testing.T) {
	t.Parallel()
	o := audience.NewObserver()
	for contact := range 10 {
		event := tracked("Mail to ana@example.test", map[string]any{"x": "y"})
		o.See(&event, fmt.Sprint(contact), seenAt)
		event = tracked("Invited", map[string]any{
			"to": "ana@example.test", "link": "https://x.test/?u=ana%40example.test", "ana@example.test": 1.0, "long": strings.Repeat("ü", 100),
		})
		o.See(&event, fmt.Sprint(contact), seenAt)
	}
	got := o.Take()
	require.Len(t, got.Events, 1)
	properties := got.Events["Invited"].Properties
	require.NotContains(t, properties, "ana@example.test")
	require.Empty(t, properties["to"][audience.TextValue].Samples)
	require.Empty(t, properties["link"][audience.TextValue].Samples)
	require.Equal(t, []string{strings.Repeat("ü", 32)}, properties["long"][audience.TextValue].Samples)
}

// A product that puts ids into names fills neither memory nor the catalogue.
func TestObserverIsBounded(t *testing.T) {
	t.Parallel()
	o := audience.NewObserver()
	for i := range 5000 {
		properties := map[string]any{}
		for p := range 10 {
			properties[fmt.Sprintf("p%d", i*10+p)] = fmt.Sprint(i)
		}
		event := tracked("Same", properties)
		o.See(&event, "c", seenAt)
		event = tracked(fmt.Sprintf("Name %d", i), nil)
		event.Traits = map[string]any{fmt.Sprintf("t%d", i): true}
		o.See(&event, "c", seenAt)
		o.Left(audience.Applied{Blocked: map[string]int64{fmt.Sprint(i): 1}})
	}
	got := o.Take()
	require.LessOrEqual(t, len(got.Events), 2000)
	require.LessOrEqual(t, len(got.Traits), 2000)
	require.LessOrEqual(t, len(got.Blocked), 2000)
	require.Equal(t, int64(5000), got.Events["Same"].Count)
	require.LessOrEqual(t, len(got.Events["Same"].Properties), 200)
}

func BenchmarkObserver(b *testing.B) {
	o := audience.NewObserver()
	event := tracked("Purchase", map[string]any{"plan": "pro", "amount": 12.5, "currency": "EUR", "items": []any{1.0}, "first": true})
	contacts := make([]string, 1000)
	for i := range contacts {
		contacts[i] = fmt.Sprint(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%20_000 == 0 {
			o.Take()
		}
		o.See(&event, contacts[i%len(contacts)], seenAt)
	}
}

package audience_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
)

func TestCoerce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want  audience.ValueType
		value any
		made  any
		ok    bool
	}{
		{audience.NumberValue, "42", 42.0, true},
		{audience.NumberValue, " -1.5e3 ", -1500.0, true},
		{audience.NumberValue, 7.0, 7.0, true},
		{audience.NumberValue, "0x10", "0x10", false},
		{audience.NumberValue, "1_000", "1_000", false},
		{audience.NumberValue, "1,000", "1,000", false},
		{audience.NumberValue, "NaN", "NaN", false},
		{audience.NumberValue, "Infinity", "Infinity", false},
		{audience.NumberValue, "1e999", "1e999", false},
		{audience.NumberValue, "", "", false},
		{audience.NumberValue, true, true, false},
		{audience.BooleanValue, "TRUE", true, true},
		{audience.BooleanValue, "false", false, true},
		{audience.BooleanValue, "yes", "yes", false},
		{audience.BooleanValue, 1.0, 1.0, false},
		{audience.TextValue, 42.0, "42", true},
		{audience.TextValue, 0.1, "0.1", true},
		{audience.TextValue, true, "true", true},
		{audience.TextValue, "2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z", true},
		{audience.TimeValue, "2026-03-01", "2026-03-01T00:00:00Z", true},
		{audience.TimeValue, "2026-03-01 10:30:00", "2026-03-01T10:30:00Z", true},
		{audience.TimeValue, "2026-03-01T10:30:00+02:00", "2026-03-01T10:30:00+02:00", true},
		{audience.TimeValue, "01/03/2026", "01/03/2026", false},
		{audience.TimeValue, "2026-02-30", "2026-02-30", false},
		{audience.TimeValue, 1.7e9, 1.7e9, false},
		{audience.TextValue, []any{"a"}, []any{"a"}, false},
	} {
		made, ok := c.want.Coerce(c.value)
		require.Equal(t, c.ok, ok, "%s of %#v", c.want, c.value)
		require.Equal(t, c.made, made, "%s of %#v", c.want, c.value)
	}
}

func anyValue() *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			return rapid.Float64Range(-1e300, 1e300).Draw(t, "number")
		case 1:
			return rapid.Bool().Draw(t, "boolean")
		case 2:
			return rapid.String().Draw(t, "text")
		case 3:
			text, _ := audience.TextValue.Coerce(rapid.Float64Range(-1e9, 1e9).Draw(t, "digits"))
			return text
		case 4:
			at := time.Unix(rapid.Int64Range(-6e10, 2e11).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
			return at.Format(rapid.SampledFrom([]string{time.RFC3339Nano, time.DateTime, time.DateOnly}).Draw(t, "layout"))
		case 5:
			return []any{1.0}
		default:
			return rapid.SampledFrom([]any{"true", "False", "42", "-0", nil}).Draw(t, "special")
		}
	})
}

// What is coerced is of the type, a second time changes nothing, what is of the type stays as it is, and what can't be coerced is returned
// as it was; and all of that survives JSON, which is how it is stored.
func TestCoercionIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]audience.ValueType{audience.NumberValue, audience.TextValue, audience.BooleanValue, audience.TimeValue}).Draw(t, "type")
		value := anyValue().Draw(t, "value")
		made, ok := kind.Coerce(value)
		if !ok {
			require.Equal(t, value, made)
			require.False(t, kind.Holds(value))
			return
		}
		require.True(t, kind.Holds(made), "%#v", made)
		if kind.Holds(value) {
			require.Equal(t, value, made)
		}
		raw, err := json.Marshal(made)
		require.NoError(t, err)
		var stored any
		require.NoError(t, json.Unmarshal(raw, &stored))
		again, ok := kind.Coerce(stored)
		require.True(t, ok)
		require.Equal(t, stored, again)
		if kind == audience.TimeValue {
			_, err := time.Parse(time.RFC3339Nano, made.(string))
			require.NoError(t, err)
		}
	})
}

func FuzzCoerce(f *testing.F) {
	for _, seed := range []string{"42", "1e999", "2026-03-01", "2026-03-01T09:00:00,5Z", "\xff", "true", "0x1p-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []audience.ValueType{audience.NumberValue, audience.TextValue, audience.BooleanValue, audience.TimeValue} {
			made, ok := kind.Coerce(text)
			require.Equal(t, ok, kind.Holds(made))
			again, _ := kind.Coerce(made)
			require.Equal(t, made, again)
		}
	})
}

func TestObjectTypeNamesEveryField(t *testing.T) {
	t.Parallel()
	subscription := audience.ObjectType{Type: "subscription", Fields: map[string]audience.ValueType{
		"mrr": audience.NumberValue, "plan": audience.TextValue, "renews_at": audience.TimeValue, "trial": audience.BooleanValue,
	}}
	require.Empty(t, subscription.CheckDeclaration())
	require.Empty(t, subscription.Check(map[string]any{"mrr": 12.5, "plan": "pro", "renews_at": "2026-03-01T09:00:00Z", "trial": nil, "other": []any{}}))
	problems := subscription.Check(map[string]any{"mrr": "12", "plan": 3.0, "renews_at": "soon", "trial": "yes"})
	paths := make([]string, len(problems))
	for i, p := range problems {
		paths[i] = p.Path + " " + p.Code
		require.NotContains(t, p.Message, "soon", "a value is never echoed")
	}
	require.Equal(t, []string{"/fields/mrr wrong_type", "/fields/plan wrong_type", "/fields/renews_at wrong_type", "/fields/trial wrong_type"}, paths)
	bad := audience.ObjectType{Fields: map[string]audience.ValueType{"a b": audience.TextValue, "tags": audience.ListValue}}
	require.Len(t, bad.CheckDeclaration(), 2)
	for name, ok := range map[string]bool{"subscription": true, "line_item2": true, "": false, "Sub": false, "2nd": false, "a-b": false} {
		require.Equal(t, ok, audience.ValidObjectType(name), name)
	}
}

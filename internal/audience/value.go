package audience

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// ValueType is the type of a trait, a property or a field.
type ValueType string

// The types. The first four can be declared; a time is a text in RFC 3339.
const (
	NumberValue  ValueType = "number"
	TextValue    ValueType = "text"
	BooleanValue ValueType = "boolean"
	TimeValue    ValueType = "time"
	ListValue    ValueType = "list"
	ObjectValue  ValueType = "object"
)

// Declarable tells whether a type can be declared for a trait or a field.
func (t ValueType) Declarable() bool {
	return t == NumberValue || t == TextValue || t == BooleanValue || t == TimeValue
}

// TypeOf is the type of a value as JSON has it, and "" of null. A text that is a moment in RFC 3339 is a time.
func TypeOf(value any) ValueType {
	switch v := value.(type) {
	case nil:
		return ""
	case bool:
		return BooleanValue
	case string:
		if isMoment(v) {
			return TimeValue
		}
		return TextValue
	case float64, float32, int, int32, int64, json.Number:
		return NumberValue
	case []any:
		return ListValue
	default:
		return ObjectValue
	}
}

// Holds tells whether a value is of a type. A time is a text too.
func (t ValueType) Holds(value any) bool {
	is := TypeOf(value)
	return is == t || t == TextValue && is == TimeValue
}

// phrase is the type as it stands in "has to be …".
func (t ValueType) phrase() string {
	switch t {
	case NumberValue:
		return "a number"
	case BooleanValue:
		return "true or false"
	case TimeValue:
		return "a time such as 2026-03-01T09:00:00Z"
	case TextValue:
		return "a text"
	case ListValue:
		return "a list"
	case ObjectValue:
		return "an object"
	}
	return "of type " + string(t)
}

// Coerce makes a value one of the type, where that can be done without guessing: "42" is the number 42, "true" is true, a date is its first
// moment in UTC. false: it can't, and the value is as it was. It does nothing to a value that is of the type, and coercing twice is coercing once.
func (t ValueType) Coerce(value any) (any, bool) {
	switch t {
	case NumberValue:
		return toNumber(value)
	case BooleanValue:
		return toBoolean(value)
	case TextValue:
		return toText(value)
	case TimeValue:
		return toTime(value)
	case ListValue, ObjectValue:
	}
	return value, t.Holds(value)
}

func toNumber(value any) (any, bool) {
	if NumberValue.Holds(value) {
		return value, true
	}
	text, ok := value.(string)
	if !ok {
		return value, false
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text, "xXpP_nN") { // Go's own forms: 0x10, 1_000, NaN, Inf
		return value, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return value, false
	}
	return f, true
}

func toBoolean(value any) (any, bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return value, false
}

func toText(value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case json.Number:
		return v.String(), true
	}
	return value, false
}

// timeLayouts are the ways of writing a moment that leave nothing to guess. What names no zone is UTC.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02"} //nolint:gochecknoglobals // never changed

func toTime(value any) (any, bool) {
	text, ok := value.(string)
	if !ok {
		return value, false
	}
	if isMoment(text) {
		return text, true
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, strings.TrimSpace(text)); err == nil && plausibleYear(at) {
			return at.UTC().Format(time.RFC3339Nano), true
		}
	}
	return value, false
}

// isMoment tells whether a text is a moment as conditions read it with timestamp().
func isMoment(text string) bool {
	if len(text) < len("2006-01-02T15:04:05Z") || len(text) > len("2006-01-02T15:04:05.999999999+00:00") || text[4] != '-' || text[10] != 'T' {
		return false // most texts: parsing costs more than looking
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return err == nil && plausibleYear(at)
}

func plausibleYear(at time.Time) bool { return at.UTC().Year() >= 1 && at.UTC().Year() <= 9999 }

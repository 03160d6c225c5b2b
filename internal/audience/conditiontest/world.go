// Package conditiontest draws conditions, and contacts to ask them about, so that every way of answering a condition can be held against
// the others: by its source, by its form, in SQL. It is for tests only and imports audience alone.
package conditiontest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
)

// Now is the moment at which drawn conditions are asked.
var Now = time.Date(2026, 3, 2, 12, 0, 0, 123_456_000, time.UTC)

// Company is a company that contacts belong to.
type Company struct {
	ID      string
	GroupID string
	Traits  map[string]any
	Score   int
}

// Object is a record that belongs to a contact or a company.
type Object struct {
	Type, ID  string
	ContactID string
	CompanyID string
	Fields    map[string]any
	UpdatedAt time.Time
}

// Person is a contact with all that is known about it. It answers conditions from memory: it is an audience.Facts.
type Person struct {
	C        audience.Contact
	Of       *Company
	Objects  []Object // its own and its company's
	Events   []audience.Event
	At       *audience.Event
	Worth    audience.Score
	Who      string
	Segments []string
	Time     time.Time
}

// The methods of audience.Facts.

// Contact is the contact, with its score.
func (p *Person) Contact() audience.Contact {
	c := p.C
	c.Score = p.Worth.Total
	return c
}

// Event is the event at hand.
func (p *Person) Event() *audience.Event { return p.At }

// Persona is who it is.
func (p *Person) Persona() string { return p.Who }

// Score is what it is worth.
func (p *Person) Score() audience.Score { return p.Worth }

// Now is when it is asked.
func (p *Person) Now() time.Time { return p.Time }

// InSegment tells whether it is in a segment.
func (p *Person) InSegment(key string) (bool, error) { return slices.Contains(p.Segments, key), nil }

// Company is what a condition sees of its company.
func (p *Person) Company() map[string]any {
	if p.Of == nil {
		return map[string]any{}
	}
	fields := map[string]any{}
	for key, item := range p.Of.Traits {
		fields[key] = item
	}
	fields["id"], fields["score"] = p.Of.GroupID, p.Of.Score
	return fields
}

// Object is the newest of a type.
func (p *Person) Object(kind string) (map[string]any, error) {
	var newest *Object
	for i := range p.Objects {
		o := &p.Objects[i]
		if o.Type != kind {
			continue
		}
		if newest == nil || o.UpdatedAt.After(newest.UpdatedAt) || o.UpdatedAt.Equal(newest.UpdatedAt) && o.ID < newest.ID {
			newest = o
		}
	}
	if newest == nil {
		return nil, nil
	}
	return newest.Fields, nil
}

// Tally counts its events.
func (p *Person) Tally(q audience.Question) (audience.Tally, error) {
	return audience.TallyEvents(p.Events, q, p.Time)
}

// Last is its newest event of a name.
func (p *Person) Last(name string) (at time.Time, known bool, err error) {
	for _, e := range p.Events {
		if e.Name == name && !e.OccurredAt.After(p.Time) && (!known || e.OccurredAt.After(at)) {
			at, known = e.OccurredAt, true
		}
	}
	return at, known, nil
}

// The names that conditions and data share: some are of one type mostly, all are of any type sometimes.
var (
	traitNames  = []string{"plan", "seats", "vip", "tags", "address", "ends", "gone", "odd"}
	eventNames  = []string{"Login", "Purchase", "Project Created"}
	objectTypes = []string{"subscription", "device"}
)

// Value draws a value as JSON has it.
func Value(t *rapid.T, depth int) any {
	kinds := 7
	if depth > 0 {
		kinds = 9
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2, 3:
		return rapid.SampledFrom([]float64{0, 1, 2, 5, -3, 0.5, 2.5, 100, 1e6, 1e15, 1e120, 1e-120}).Draw(t, "number")
	case 4:
		return Moment(t)
	case 5, 6:
		return rapid.SampledFrom([]string{"", "trial", "Trial", "paid", "beta", "eu", "Berlin", "Zürich", "10115", "a_b%c", `q"uo'te`, "line\nbreak", "5", "true", "\\d", "city"}).Draw(t, "text")
	case 7:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "items"))
		for i := range list {
			list[i] = Value(t, depth-1)
		}
		return list
	}
	fields := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "fields") {
		fields[rapid.SampledFrom([]string{"city", "zip", "plan", "beta"}).Draw(t, "field")] = Value(t, depth-1)
	}
	return fields
}

// Moment draws a text that is a time, or nearly one.
func Moment(t *rapid.T) string {
	if rapid.IntRange(0, 3).Draw(t, "exact") > 0 {
		return Now.Add(time.Duration(rapid.IntRange(-50, 50).Draw(t, "hours")) * time.Hour).Format(time.RFC3339Nano)
	}
	return rapid.SampledFrom([]string{
		"2026-03-02T12:00:00.123456Z", "2026-03-02T13:00:00.1234569+01:00", "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-03-02", "2026-03-02 12:00:00Z", "0999-01-01T00:00:00Z", "2999-12-31T23:59:59Z", "3000-01-01T00:00:00Z",
		"2026-03-02T24:00:00Z", "2026-03-02T12:00:60Z", "2026-03-02T12:00:00+14:59", "2026-03-02T12:00:00+15:00", "2026-03-02T12:00:00,5Z", "1000-01-01T00:00:00-14:00",
		"2026-03-02t12:00:00z", "1969-12-31T23:59:59.9999999Z", "2026-03-02T12:00:00.Z", "2026-03-02T12:00:00.0123456789Z",
	}).Draw(t, "moment")
}

// Fields draws traits or properties.
func Fields(t *rapid.T) map[string]any {
	fields := map[string]any{}
	for _, name := range traitNames {
		switch rapid.IntRange(0, 3).Draw(t, name) {
		case 0:
		case 1:
			fields[name] = Value(t, 2)
		default:
			fields[name] = usual(t, name)
		}
	}
	return fields
}

func usual(t *rapid.T, name string) any {
	switch name {
	case "plan":
		return rapid.SampledFrom([]string{"trial", "paid", "Trial"}).Draw(t, "plan")
	case "seats":
		return float64(rapid.IntRange(-1, 7).Draw(t, "seats"))
	case "vip":
		return rapid.Bool().Draw(t, "vip")
	case "tags":
		return []any{rapid.SampledFrom([]any{"beta", "eu", 5.0}).Draw(t, "tag"), "eu"}
	case "address":
		return map[string]any{"city": Value(t, 0), "zip": "10115", "list": []any{1.0, map[string]any{"city": "Berlin"}}}
	case "ends":
		return Moment(t)
	}
	return Value(t, 1)
}

// Events draws what a contact did, the oldest first.
func Events(t *rapid.T) []audience.Event {
	events := make([]audience.Event, rapid.IntRange(0, 6).Draw(t, "events"))
	for i := range events {
		events[i] = audience.Event{
			Name:       rapid.SampledFrom(eventNames).Draw(t, "event"),
			Properties: map[string]any{"amount": Value(t, 0), "kind": rapid.SampledFrom([]any{"demo", "call", nil, 3.0}).Draw(t, "kind")},
			OccurredAt: Now.Add(-time.Duration(rapid.IntRange(0, 240).Draw(t, "quarters")) * 15 * time.Minute),
		}
		switch rapid.IntRange(0, 3).Draw(t, "context") {
		case 0:
			events[i].Context = map[string]any{"campaign": map[string]any{"source": "news"}}
		case 1:
			events[i].Properties["context"] = Value(t, 1)
			events[i].Context = map[string]any{"campaign": map[string]any{"source": "news"}}
		}
	}
	slices.SortStableFunc(events, func(a, b audience.Event) int { return a.OccurredAt.Compare(b.OccurredAt) })
	return events
}

// Contact draws a contact.
func Contact(t *rapid.T, id string) audience.Contact {
	optional := func(name, value string) string {
		if rapid.Bool().Draw(t, name) {
			return value
		}
		return ""
	}
	return audience.Contact{
		ID: id, UserID: optional("user id", "u-"+id), Email: optional("email", "Ana"+strings.ReplaceAll(id, "-", "")+"@example.test"),
		Timezone: optional("timezone", "Europe/Berlin"), Locale: optional("locale", "de-DE"),
		Stage: rapid.SampledFrom([]string{"lead", "mql", "customer"}).Draw(t, "stage"), Traits: Fields(t),
		CreatedAt:    Now.Add(-time.Duration(rapid.IntRange(0, 72).Draw(t, "age")) * time.Hour),
		EmailVerdict: rapid.SampledFrom([]string{"", "deliverable", "risky"}).Draw(t, "verdict"), EmailReasons: rapid.SampledFrom([][]string{{}, {"role"}, {"role", "typo"}}).Draw(t, "reasons"),
	}
}

// ObjectsOf draws records of an owner.
func ObjectsOf(t *rapid.T, contact, company string) []Object {
	objects := make([]Object, rapid.IntRange(0, 2).Draw(t, "objects"))
	for i := range objects {
		objects[i] = Object{
			Type: rapid.SampledFrom(objectTypes).Draw(t, "type"), ID: fmt.Sprintf("o%d-%s%s", i, contact, company), ContactID: contact, CompanyID: company,
			Fields: map[string]any{"mrr": Value(t, 0), "plan": "pro"}, UpdatedAt: Now.Add(-time.Duration(rapid.IntRange(0, 2).Draw(t, "since")) * time.Hour),
		}
	}
	return objects
}

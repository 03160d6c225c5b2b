package store

import (
	"errors"
	"maps"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
)

// errFactsMissing is a condition that asked for something that was not loaded for it.
var errFactsMissing = errors.New("a condition asked for facts that were not loaded")

type contactQuestion struct {
	contact  uuid.UUID
	question audience.Question
}

type contactName struct {
	contact uuid.UUID
	name    string
}

// loadedFacts are what the database knows beyond the contacts' rows, as of their locks: without the events of this transaction.
type loadedFacts struct {
	tallies   map[contactQuestion]audience.Tally
	lasts     map[contactName]lastEvent
	objects   map[contactName]map[string]any // by type
	companies map[uuid.UUID]map[string]any
	groups    map[string]map[string]any // by the sender's name, as this transaction leaves them
}

// subjectFacts are the facts of one contact inside a derivation: the database's, and on top what this transaction brings.
type subjectFacts struct {
	d *derivation
	s *subject
}

func (f *subjectFacts) Contact() audience.Contact {
	c, err := f.s.contact()
	if err != nil {
		f.s.failed = true
	}
	c.Score = f.Score().Total
	return c
}

func (f *subjectFacts) Event() *audience.Event { return nil }
func (f *subjectFacts) Now() time.Time         { return f.d.now }

func (f *subjectFacts) Company() map[string]any {
	if f.s.parsed.company != nil {
		return f.s.parsed.company
	}
	var company map[string]any
	switch {
	case f.s.groupID != "":
		company = f.d.facts.groups[f.s.groupID]
	case f.s.row.CompanyID != nil:
		company = f.d.facts.companies[*f.s.row.CompanyID]
	}
	f.s.parsed.company = orEmptyObject(company)
	return f.s.parsed.company
}

func (f *subjectFacts) Persona() string {
	state, err := f.s.state()
	if err != nil {
		return ""
	}
	return state.Persona
}

func (f *subjectFacts) Score() audience.Score {
	state, err := f.s.state()
	if err != nil {
		f.s.failed = true
		return audience.Score{}
	}
	return f.d.rules.model.Score(*state, f.d.now)
}

func (f *subjectFacts) Object(kind string) (map[string]any, error) {
	fields, loaded := f.d.facts.objects[contactName{f.s.row.ID, kind}]
	if !loaded && !f.s.created {
		return nil, errFactsMissing
	}
	return fields, nil
}

func (f *subjectFacts) Tally(q audience.Question) (audience.Tally, error) {
	known, loaded := f.d.facts.tallies[contactQuestion{f.s.row.ID, q}]
	if !loaded && !f.s.created {
		return audience.Tally{}, errFactsMissing
	}
	fresh, err := audience.TallyEvents(f.s.news.events, q, f.d.now)
	if err != nil || fresh.Count == 0 {
		return known, err
	}
	if known.Count == 0 {
		return fresh, nil
	}
	if known.Oldest.Before(fresh.Oldest) {
		fresh.Oldest = known.Oldest
	}
	fresh.Count += known.Count
	return fresh, nil
}

func (f *subjectFacts) Last(name string) (time.Time, bool, error) {
	last, loaded := f.d.facts.lasts[contactName{f.s.row.ID, name}]
	if !loaded && !f.s.created {
		return time.Time{}, false, errFactsMissing
	}
	for i := range f.s.news.events {
		if e := &f.s.news.events[i]; e.Name == name && !e.OccurredAt.After(f.d.now) && (!last.ok || e.OccurredAt.After(last.at)) {
			last = lastEvent{at: e.OccurredAt, ok: true}
		}
	}
	return last.at, last.ok, nil
}

// InSegment answers from the row. A segment's own condition does not ask; a scoring rule may.
func (f *subjectFacts) InSegment(key string) (bool, error) { return f.s.isIn(key), nil }

// companyFields are what a condition sees of a company: its traits, and what is built in.
func companyFields(groupID string, traits map[string]any, score int32) map[string]any {
	fields := maps.Clone(traits)
	if fields == nil {
		fields = map[string]any{}
	}
	fields["id"], fields["score"] = groupID, int(score)
	return fields
}

func orEmptyObject(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// bareFacts are those of a contact of whom nothing is known.
type bareFacts struct{}

func (bareFacts) Contact() audience.Contact                         { return audience.Contact{} }
func (bareFacts) Event() *audience.Event                            { return nil }
func (bareFacts) Company() map[string]any                           { return map[string]any{} }
func (bareFacts) Persona() string                                   { return "" }
func (bareFacts) Score() audience.Score                             { return audience.Score{} }
func (bareFacts) Object(string) (map[string]any, error)             { return nil, nil }
func (bareFacts) Tally(audience.Question) (audience.Tally, error)   { return audience.Tally{}, nil }
func (bareFacts) Last(string) (at time.Time, known bool, err error) { return time.Time{}, false, nil }
func (bareFacts) InSegment(string) (bool, error)                    { return false, nil }
func (bareFacts) Now() time.Time                                    { return time.Unix(0, 0).UTC() }

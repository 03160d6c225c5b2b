package store

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// subject is a contact inside a transaction that holds its lock, as that transaction leaves it: what came in for it, and what follows.
type subject struct {
	row     dbsqlc.Contact // traits are those before; traits below says what changes about them
	created bool
	poked   bool // pending was set by this transaction
	changed bool // something else than the counter
	touched bool // the row has to be written although no event came
	traits  traitDelta
	groupID string // the company that it joins, in the sender's words
	told    []told // what was said of it, of moments after events that are late
	news    news
	parsed  parsed
	joined  []string // segments that it enters
	left    []string // segments that it leaves
	stages  []stageChange
	// failed: a condition could not be judged (its facts could not be had); it is judged again soon.
	failed   bool
	refolded bool // its score was kept by another model and has just been folded from the journal
}

// news are what the derivation has to look at.
type news struct {
	events     []audience.Event // in their order; not stored yet
	traits     map[string]bool  // set or removed
	fields     map[string]bool  // built-in ones that changed, such as stage
	score      bool
	company    bool
	persona    bool
	objects    bool
	everything bool
}

type stageChange struct{ from, to string }

// parsed are the parts of the row that are read when somebody asks.
type parsed struct {
	contact *audience.Contact
	state   *sales.ScoreState
	company map[string]any
}

func newSubject(row dbsqlc.Contact) *subject {
	return &subject{row: row, traits: newTraitDelta(), news: news{traits: map[string]bool{}, fields: map[string]bool{}}}
}

// bornSubject is a contact that this transaction makes.
func bornSubject(id uuid.UUID, now time.Time) *subject {
	s := newSubject(dbsqlc.Contact{ID: id, Stage: sales.Stages()[0], CreatedAt: now, ScoreState: json.RawMessage("{}")})
	s.created = true
	return s
}

// contact is the contact as a condition sees it.
func (s *subject) contact() (audience.Contact, error) {
	if s.parsed.contact == nil {
		c, err := contactOf(s.row)
		if err != nil {
			return audience.Contact{}, err
		}
		for name := range s.traits.removed {
			delete(c.Traits, name)
		}
		maps.Copy(c.Traits, s.traits.set)
		s.parsed.contact = &c
	}
	s.parsed.contact.Stage = s.row.Stage
	return *s.parsed.contact, nil
}

// state is what the contact's score is made of; it may be changed, and stored by keepState.
func (s *subject) state() (*sales.ScoreState, error) {
	if s.parsed.state == nil {
		var state sales.ScoreState
		if len(s.row.ScoreState) > 2 {
			if err := json.Unmarshal(s.row.ScoreState, &state); err != nil {
				return nil, err
			}
		}
		s.parsed.state = &state
	}
	return s.parsed.state, nil
}

func (s *subject) keepState(model *sales.Model, now time.Time) error {
	raw, err := json.Marshal(s.parsed.state)
	if err != nil {
		return err
	}
	s.row.ScoreState = raw
	s.row.Score = int32(model.Worth(*s.parsed.state, now).Total)
	s.touched = true
	return nil
}

// apply folds what an event says about the contact into it. An address that came with an event fills an empty column; only identify, or
// the trait itself, changes it.
func (s *subject) apply(it *item, now time.Time) {
	late, traits, address := s.late(it), s.timely(it), fromNullable(s.row.Email)
	s.traits.merge(traits)
	for name := range traits {
		s.news.traits[clean(name)] = true
	}
	changed := len(traits) > 0
	says := newTraitDelta()
	if it.Type == audience.TypeIdentify {
		says.merge(traits)
	}
	for _, c := range []struct {
		column      **string
		trait, told string
	}{
		{&s.row.Email, traitEmail, it.Email}, {&s.row.Timezone, traitTimezone, it.Timezone}, {&s.row.Locale, traitLocale, it.Locale},
	} {
		value := fromNullable(*c.column)
		if trait, given := says.column(c.trait); given {
			value = trait
		}
		if c.told != "" && (value == "" || it.Type == audience.TypeIdentify) && (!late || !s.overridden(it, c.trait)) {
			value = c.told
		}
		if value != fromNullable(*c.column) {
			*c.column, changed = toNullable(value), true
			s.news.fields[c.trait] = true
		}
	}
	if fromNullable(s.row.Email) != address || (address != "" && s.row.EmailVerdict == "") {
		s.judgeAddress(now)
	}
	if it.GroupID != "" && (!late || !s.movedOn(it)) {
		s.groupID, s.news.company = it.GroupID, true
		s.parsed.company = nil
	}
	s.hear(it)
	s.changed = s.changed || changed
	s.parsed.contact = nil
}

// note adds an event of Throughline's own.
func (s *subject) note(name string, properties map[string]any, now time.Time) audience.Event {
	s.row.LastSeq++
	id := newID().String()
	e := audience.Event{
		ID: id, MessageID: id, ContactID: s.row.ID.String(), Seq: s.row.LastSeq, Type: audience.TypeSystem, Name: name,
		Properties: properties, OccurredAt: now, ReceivedAt: now,
	}
	s.touched = true
	return e
}

func (s *subject) isIn(segment string) bool {
	_, found := slices.BinarySearch(s.row.Segments, segment)
	return found
}

func (s *subject) enter(segment string) {
	i, found := slices.BinarySearch(s.row.Segments, segment)
	if !found {
		s.row.Segments = slices.Insert(slices.Clone(s.row.Segments), i, segment)
		s.joined = append(s.joined, segment)
		s.touched = true
	}
}

func (s *subject) leave(segment string) {
	i, found := slices.BinarySearch(s.row.Segments, segment)
	if found {
		s.row.Segments = slices.Delete(slices.Clone(s.row.Segments), i, i+1)
		s.left = append(s.left, segment)
		s.touched = true
	}
}

// recheckBy makes sure that the contact is looked at again at a moment, or earlier.
func (s *subject) recheckBy(at time.Time) {
	if at.IsZero() || (s.row.RecheckAt != nil && !s.row.RecheckAt.After(at)) {
		return
	}
	s.row.RecheckAt, s.touched = &at, true
}

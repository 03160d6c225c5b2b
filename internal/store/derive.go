package store

import (
	"slices"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// retryJudging is when a condition whose facts could not be had is judged again.
const retryJudging = time.Minute

// maxRounds bounds how often notes lead to notes: a segment may look at who entered another one.
const maxRounds = 4

// derivation works out what follows from what came in, for contacts whose locks are held: score, stage, segments, and when time alone may
// change any of it. It is pure but for the facts, which load has fetched before.
type derivation struct {
	rules    *rules
	now      time.Time
	subjects []*subject
	facts    loadedFacts
}

// mayScore tells whether what is new can change the contact's score.
func (d *derivation) mayScore(s *subject) bool {
	if s.news.everything || s.created || s.news.score {
		return true
	}
	for i := range s.news.events {
		if d.rules.model.Listens(s.news.events[i].Name) {
			return true
		}
	}
	return d.fitConcerned(s)
}

func (d *derivation) fitConcerned(s *subject) bool {
	return d.rules.model.Version() > 0 && (s.created || concerns(d.rules.model.FitNames(), s))
}

// concerns tells whether news can change what a condition with these names answers.
func concerns(names audience.Names, s *subject) bool {
	return besidesEvents(names, s) || byEvents(names, s)
}

// besidesEvents tells whether something other than events can change the answer.
func besidesEvents(names audience.Names, s *subject) bool {
	n := &s.news
	if n.everything || (n.score && names.Score) || (n.company && names.Company) || (n.persona && names.Persona) || (n.objects && len(names.Objects) > 0) {
		return true
	}
	for _, name := range names.Traits {
		if n.traits[name] {
			return true
		}
	}
	for _, name := range names.Fields {
		if n.fields[name] || s.created {
			return true
		}
	}
	return s.created && (names.Score || names.Company || names.Persona || names.Now)
}

func byEvents(names audience.Names, s *subject) bool {
	if len(names.Events) == 0 {
		return false
	}
	for i := range s.news.events {
		if _, found := slices.BinarySearch(names.Events, s.news.events[i].Name); found {
			return true
		}
	}
	return false
}

func (d *derivation) concerned(s *subject, seg *liveSegment) bool {
	if (s.created && seg.holdsBare) || besidesEvents(seg.names, s) {
		return true
	}
	return byEvents(seg.names, s) && !seg.settled(s)
}

// settled: more events can't move the contact. That time alone may is known already: recheck_at is then.
func (seg *liveSegment) settled(s *subject) bool {
	if s.created {
		return false
	}
	if s.isIn(seg.key) {
		return seg.trend == audience.Rising
	}
	return seg.trend == audience.Falling
}

// run judges every contact.
func (d *derivation) run() error {
	for _, s := range d.subjects {
		if err := d.one(s); err != nil {
			return err
		}
	}
	return nil
}

func (d *derivation) one(s *subject) error {
	if s.news.everything && s.row.RecheckAt != nil {
		s.row.RecheckAt, s.touched = nil, true // everything is judged now: what is due next comes from that
	}
	fresh := s.news.events
	for range maxRounds {
		notes, err := d.round(s, fresh)
		if err != nil {
			return err
		}
		if len(notes) == 0 {
			break
		}
		s.news = news{events: append(s.news.events, notes...), traits: map[string]bool{}, fields: map[string]bool{"stage": len(s.stages) > 0}}
		fresh = notes
	}
	if s.failed {
		s.recheckBy(d.now.Add(retryJudging))
	}
	return nil
}

// round judges once what is new, and gives the notes that came of it.
func (d *derivation) round(s *subject, fresh []audience.Event) ([]audience.Event, error) {
	var notes []audience.Event
	stage, err := d.score(s, fresh)
	if err != nil {
		return nil, err
	}
	if stage != "" {
		notes = append(notes, d.reach(s, stage))
	}
	for _, seg := range d.rules.segments {
		if !d.concerned(s, seg) {
			continue
		}
		standing, err := seg.condition.Stands(&subjectFacts{d: d, s: s})
		if err != nil {
			s.failed = true // its membership stays as it is; ingestion goes on
			continue
		}
		s.recheckBy(standing.Until)
		if standing.Holds == s.isIn(seg.key) {
			continue
		}
		name := audience.SegmentEnteredPrefix
		if standing.Holds {
			s.enter(seg.key)
		} else {
			s.leave(seg.key)
			name = audience.SegmentLeftPrefix
		}
		if !seg.filling {
			notes = append(notes, s.note(name+seg.key, map[string]any{"segment": seg.key}, d.now))
		}
	}
	return notes, nil
}

// score folds what is new into the contact's score and gives the stage that it has reached, if it is further on.
func (d *derivation) score(s *subject, fresh []audience.Event) (string, error) {
	model := d.rules.model
	if model.Version() == 0 || !d.mayScore(s) {
		return "", nil
	}
	state, err := s.state()
	if err != nil {
		return "", err
	}
	if s.created {
		state.Model = model.Version()
	}
	if state.Model != model.Version() {
		return "", nil // the walk that a new model starts folds all of the contact's events
	}
	before := model.Worth(*state, d.now)
	persona := state.Persona
	earned := false
	for i := range fresh {
		if !model.Listens(fresh[i].Name) {
			continue
		}
		ok, err := model.Earn(state, &fresh[i])
		if err != nil {
			return "", err
		}
		earned = earned || ok
	}
	if d.fitConcerned(s) {
		fit := state.Fit
		if err := model.Rate(state, &subjectFacts{d: d, s: s}); err != nil {
			s.failed = true
		}
		earned = earned || state.Fit != fit || state.Persona != persona
	}
	s.news.persona = s.news.persona || state.Persona != persona
	if !earned && !s.created && !s.news.everything && !s.news.score {
		return "", nil
	}
	after := model.Worth(*state, d.now)
	if s.refolded {
		before = after // what another model made of it says nothing about whether the score has been below a threshold of this one
	}
	reached := model.Advance(state, before, after, s.row.Stage)
	if err := s.keepState(model, d.now); err != nil {
		return "", err
	}
	s.recheckBy(model.RisesAt(*state, d.now))
	s.news.score = s.news.score || before != after || earned
	return reached, nil
}

// reach moves the contact to a stage.
func (d *derivation) reach(s *subject, stage string) audience.Event {
	from := s.row.Stage
	s.stages = append(s.stages, stageChange{from, stage})
	s.row.Stage, s.changed = stage, true
	s.news.fields["stage"] = true
	return s.note(audience.StageEnteredPrefix+stage, map[string]any{"from": from, "to": stage}, d.now)
}

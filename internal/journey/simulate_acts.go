package journey

import (
	"fmt"
	"strconv"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// act is what performing a step did in the simulator.
type act struct {
	port  string
	note  string
	terms []audience.Term
	err   error
}

func actSend(c *simContact, s *Step) act {
	note := "template " + s.Send.Template
	if s.Send.AISubject != nil {
		note += ", generated subject"
	}
	switch planned, held := c.sim.def.Experiment(s.ID); {
	case c.facts.contact.Email == "":
		note = "skipped: no address"
	case held && c.assign(planned).Arm == ArmWithheld:
		note = "withheld: holdout"
	}
	return act{port: PortNext, note: note}
}

func actUpdate(c *simContact, s *Step) act {
	c.facts.identify(s.Update.Set)
	for _, name := range sortedKeys(s.Update.Increment) {
		before, _ := c.facts.contact.Traits[name].(float64)
		c.facts.identify(map[string]any{name: before + s.Update.Increment[name]})
	}
	return act{port: PortNext}
}

func actScore(c *simContact, s *Step) act {
	c.facts.contact.Score += s.Score.Add
	note := fmt.Sprintf("%+d, now %d", s.Score.Add, c.facts.contact.Score)
	if s.Score.Reason != "" {
		note += ": " + s.Score.Reason
	}
	return act{port: PortNext, note: note}
}

func actPass(_ *simContact, s *Step) act { return act{port: PortNext, note: s.Webhook.Event} }

func actBranch(c *simContact, s *Step) act {
	var looked []audience.Term
	for i, arm := range s.Branch {
		if arm.Else {
			return act{port: PortElse, terms: looked}
		}
		verdict, err := c.verdict(arm.When, c.trigger)
		if err != nil {
			return act{err: err}
		}
		looked = append(looked, verdict.Terms...)
		if verdict.Holds {
			return act{port: strconv.Itoa(i), terms: looked, note: arm.When}
		}
	}
	return act{port: PortElse, terms: looked}
}

func actSplit(c *simContact, s *Step) act {
	planned, _ := c.sim.def.Experiment(s.ID)
	given := c.assign(planned)
	note := s.Split[given.Arm].Name
	if s.Split[given.Arm].Holdout {
		note = "holdout"
	}
	switch given.Detail["why"] {
	case WhyKept:
		note = joined(", ", note, "as before")
	case WhyWinner:
		note = joined(", ", note, "the winner")
	}
	return act{port: strconv.Itoa(given.Arm), note: note}
}

// assign gives the contact its arm, as production does. Nothing is counted here: without a standing, weights are those as written.
func (c *simContact) assign(p Planned) Assignment {
	var standing Standing
	if c.sim.opts.Standing != nil {
		standing = c.sim.opts.Standing(p)
	}
	id := p.ID()
	given := p.Assign(c.facts.contact.ID, standing, c.arms[id])
	if !given.Kept {
		c.arms[id] = &Assigned{Arm: given.Arm, At: c.facts.now}
	}
	return given
}

func actHandoff(*simContact, *Step) act { return act{port: PortParked} }

// simFacts are the facts of one contact, in memory.
type simFacts struct {
	opts     *SimOptions
	contact  audience.Contact
	segments map[string]bool // that lines have said
	events   []audience.Event
	event    *audience.Event // under consideration
	now      time.Time
}

func (f *simFacts) with(e *audience.Event) *simFacts {
	seen := *f
	seen.event = e
	return &seen
}

// append numbers and keeps an event, received now.
func (f *simFacts) append(e audience.Event) audience.Event {
	e.Seq, e.ReceivedAt, e.ContactID = int64(len(f.events)+1), f.now, f.contact.ID
	f.events = append(f.events, e)
	return e
}

// identify merges traits as ingestion does: nil removes, and some go to fields of their own.
func (f *simFacts) identify(traits map[string]any) {
	for _, name := range sortedKeys(traits) {
		text, _ := traits[name].(string)
		switch name {
		case "email":
			f.contact.Email = text
		case "timezone":
			f.contact.Timezone = text
		case "locale":
			f.contact.Locale = text
		}
		if traits[name] == nil {
			delete(f.contact.Traits, name)
			continue
		}
		f.contact.Traits[name] = traits[name]
	}
}

// The methods of audience.Facts.

func (f *simFacts) Contact() audience.Contact { return f.contact }
func (f *simFacts) Event() *audience.Event    { return f.event }
func (f *simFacts) Now() time.Time            { return f.now }

func (f *simFacts) Company() map[string]any {
	if f.opts.Company == nil {
		return nil
	}
	return f.opts.Company(f.contact)
}

func (f *simFacts) Persona() string {
	if f.opts.Persona == nil {
		return ""
	}
	return f.opts.Persona(f.contact)
}

func (f *simFacts) Score() audience.Score { return audience.Score{Total: f.contact.Score} }

func (f *simFacts) Object(string) (map[string]any, error) { return nil, nil }

func (f *simFacts) Tally(q audience.Question) (audience.Tally, error) {
	return audience.TallyEvents(f.events, q, f.now)
}

func (f *simFacts) Last(name string) (time.Time, bool, error) {
	for i := len(f.events) - 1; i >= 0; i-- {
		if f.events[i].Name == name {
			return f.events[i].OccurredAt, true, nil
		}
	}
	return time.Time{}, false, nil
}

func (f *simFacts) InSegment(key string) (bool, error) {
	return f.segments[key] || f.opts.InSegment != nil && f.opts.InSegment(key, f.contact), nil
}

package journey

import (
	"fmt"
	"slices"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// The simulator walks contacts through a definition in memory, under a virtual clock, with the very Plan that production runs. Nothing
// is sent. It knows neither consent nor caps: a send that production would skip is shown as made, except for want of an address.

// SimOptions change what the simulator can't know by itself. The zero value works.
type SimOptions struct {
	// ContactID gives the id that splits divide by; by default the user's own name.
	ContactID func(user string) string
	// InSegment answers in_segment, besides the segments that lines say; by default nobody is in any.
	InSegment func(key string, c audience.Contact) bool
	// Persona and Company answer for a contact; by default there are none.
	Persona func(c audience.Contact) string
	Company func(c audience.Contact) map[string]any
	// StageAfter is the lifecycle stage after a handoff's outcome; by default, or when empty, it stays.
	StageAfter func(outcome string) string
	// Standing is how an experiment stands: who has won, which weights were drawn; by default nothing is decided.
	Standing func(p Planned) Standing
	// Horizon is how long the clock runs on after the last event, for journeys that go in circles; by default three years.
	Horizon time.Duration
}

const (
	defaultHorizon = 3 * 365 * audience.Day
	firstStage     = "subscriber"
	maxSimSteps    = 10_000 // of one contact, for journeys that go in small circles
)

// Trace is what a simulation showed.
type Trace struct {
	Journey  string         `json:"journey"`
	Contacts []ContactTrace `json:"contacts"` // in the order in which they appeared
}

// ContactTrace is one contact's way.
type ContactTrace struct {
	User      string      `json:"user"`
	ContactID string      `json:"contact_id"`
	Steps     []TraceStep `json:"steps"`
	State     string      `json:"state"`            // of the last enrollment; never_entered without one
	Reason    string      `json:"reason,omitempty"` // why it ended
	At        string      `json:"at,omitempty"`     // the step it stands or ended at
	Score     int         `json:"score"`
}

// TraceStep is one thing that happened to a contact.
type TraceStep struct {
	At      time.Time       `json:"at"`
	Kind    string          `json:"kind"` // a step's kind; or entered, not_entered, ended, ignored
	Step    string          `json:"step,omitempty"`
	Visit   int             `json:"visit,omitempty"`
	Outcome string          `json:"outcome"` // the port, or goal, exit, failed
	Event   string          `json:"event,omitempty"`
	Note    string          `json:"note,omitempty"`
	Terms   []audience.Term `json:"terms,omitempty"`
}

// The kinds of trace entries that are not steps.
const (
	TraceEntered    = "entered"
	TraceNotEntered = "not_entered"
	TraceEnded      = "ended"
	TraceIgnored    = "ignored"
)

// NeverEntered is the state of a contact that was in no enrollment.
const NeverEntered = "never_entered"

// Path is a contact's way as step:port, in order; a goal or exit event counts as the port goal or exit. Nil for an unknown user.
func (t Trace) Path(user string) []string {
	for _, c := range t.Contacts {
		if c.User != user {
			continue
		}
		path := []string{}
		for _, s := range c.Steps {
			if s.Step != "" && s.Kind != TraceEnded {
				path = append(path, s.Step+":"+s.Outcome)
			}
		}
		return path
	}
	return nil
}

// Simulate runs a valid definition over the events of some users. They don't influence each other, so each is run by itself; the result
// depends on the input alone.
func Simulate(def *Definition, events []SimEvent, opts SimOptions) (Trace, error) {
	plan, err := Compile(def)
	if err != nil {
		return Trace{}, fmt.Errorf("simulate: %w", err)
	}
	if opts.Horizon <= 0 {
		opts.Horizon = defaultHorizon
	}
	sim := &simulation{def: def, plan: plan, opts: opts, conditions: audience.NewConditionCache(1000)}
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b SimEvent) int { return a.At.Compare(b.At) })
	trace := Trace{Journey: def.Journey, Contacts: []ContactTrace{}}
	if len(events) == 0 {
		return trace, nil
	}
	end := events[len(events)-1].At.Add(opts.Horizon)
	for _, user := range usersOf(events) {
		c := sim.contact(user)
		for _, e := range events {
			if e.User != user {
				continue
			}
			if err := c.take(e); err != nil {
				return Trace{}, fmt.Errorf("simulate line %d: %w", e.Line, err)
			}
		}
		if err := c.runUntil(end); err != nil {
			return Trace{}, fmt.Errorf("simulate the time after the last line: %w", err)
		}
		trace.Contacts = append(trace.Contacts, c.result())
	}
	return trace, nil
}

func usersOf(events []SimEvent) []string {
	var users []string
	for _, e := range events {
		if !slices.Contains(users, e.User) {
			users = append(users, e.User)
		}
	}
	return users
}

type simulation struct {
	def        *Definition
	plan       *Plan
	opts       SimOptions
	conditions *audience.ConditionCache
}

// simContact is one contact in the simulator, with its one enrollment at a time.
type simContact struct {
	sim     *simulation
	facts   simFacts
	last    *Enrollment // the newest enrollment
	state   State       // of it
	trigger *audience.Event
	handoff *HandoffResult
	arms    map[string]*Assigned // by experiment
	steps   []TraceStep
}

func (s *simulation) contact(user string) *simContact {
	id := user
	if s.opts.ContactID != nil {
		id = s.opts.ContactID(user)
	}
	contact := audience.Contact{ID: id, UserID: user, Stage: firstStage, Traits: map[string]any{}}
	return &simContact{sim: s, arms: map[string]*Assigned{}, facts: simFacts{opts: &s.opts, contact: contact, segments: map[string]bool{}}}
}

// take lets one line of input happen.
func (c *simContact) take(e SimEvent) error {
	if c.facts.contact.CreatedAt.IsZero() {
		c.facts.contact.CreatedAt = e.At
	}
	// A deadline that falls on the very moment of an event comes after it, as in production.
	if err := c.runUntil(e.At.Add(-time.Nanosecond)); err != nil {
		return err
	}
	c.facts.now = e.At
	switch e.Type {
	case SimHandoff:
		if c.last == nil || c.state.Park == nil || !c.state.Park.Handoff {
			c.note(TraceStep{Kind: TraceIgnored, Outcome: e.Outcome, Note: "no handoff is open"})
			return nil
		}
		c.handoff = &HandoffResult{Port: e.Outcome, At: e.At}
		if c.sim.opts.StageAfter != nil {
			if stage := c.sim.opts.StageAfter(e.Outcome); stage != "" {
				c.facts.contact.Stage = stage
			}
		}
		return c.settle()
	case string(audience.TypeIdentify):
		c.facts.identify(e.Traits)
		c.facts.append(audience.Event{Type: audience.TypeIdentify, OccurredAt: e.At})
		return nil
	case SimSegment, SimStage:
		return c.noted(e)
	default:
		return c.track(c.facts.append(audience.Event{Type: audience.TypeTrack, Name: e.Event, Properties: e.Properties, OccurredAt: e.At}))
	}
}

// noted lets happen what Throughline itself notes about a contact: a segment entered or left, a stage reached.
func (c *simContact) noted(e SimEvent) error {
	system := audience.Event{Type: audience.TypeSystem, OccurredAt: e.At}
	switch {
	case e.Type == SimStage:
		system.Name, system.Properties = audience.StageEnteredPrefix+e.Stage, map[string]any{"from": c.facts.contact.Stage, "to": e.Stage}
		c.facts.contact.Stage = e.Stage
	case e.Entered != "":
		system.Name, system.Properties = audience.SegmentEnteredPrefix+e.Entered, map[string]any{"segment": e.Entered}
		c.facts.segments[e.Entered] = true
	default:
		system.Name, system.Properties = audience.SegmentLeftPrefix+e.Left, map[string]any{"segment": e.Left}
		delete(c.facts.segments, e.Left)
	}
	return c.track(c.facts.append(system))
}

// track moves the running enrollment first, then looks whether the event begins one: an event that ends an enrollment does not at the
// same time begin the next.
func (c *simContact) track(e audience.Event) error {
	var before *Enrollment
	if c.last != nil {
		copied := *c.last
		before = &copied
	}
	if err := c.settle(); err != nil {
		return err
	}
	return c.enter(e, before)
}

func (c *simContact) enter(e audience.Event, last *Enrollment) error {
	for _, m := range c.sim.def.Enter {
		if m.Event != e.Name {
			continue
		}
		verdict, err := c.verdict(m.When, &e)
		if err != nil {
			return err
		}
		if !verdict.Holds {
			c.note(TraceStep{Kind: TraceNotEntered, Outcome: "condition_not_met", Event: e.Name, Terms: verdict.Terms, Note: verdict.Note})
			continue
		}
		if ok, reason := EnterAllowed(c.sim.def.Reenter, last, c.facts.now); !ok {
			c.note(TraceStep{Kind: TraceNotEntered, Outcome: reason, Event: e.Name})
			return nil
		}
		c.note(TraceStep{Kind: TraceEntered, Outcome: TraceEntered, Event: e.Name, Terms: verdict.Terms})
		c.last = &Enrollment{State: Active, EnteredAt: c.facts.now, EnteredSeq: e.Seq}
		c.trigger, c.handoff, c.state = &e, nil, State{}
		begun, _ := c.sim.plan.Start(e.Seq, c.facts.now)
		c.move(begun)
		return c.settle()
	}
	return nil
}

// runUntil lets the deadlines up to a time pass, one by one.
func (c *simContact) runUntil(end time.Time) error {
	for len(c.steps) < maxSimSteps && c.last != nil && c.state.Park != nil && c.state.Park.Deadline != nil && !c.state.Park.Deadline.After(end) {
		if at := *c.state.Park.Deadline; at.After(c.facts.now) {
			c.facts.now = at
		}
		if err := c.settle(); err != nil {
			return err
		}
	}
	return nil
}

// settle performs and resolves until the enrollment pauses with nothing to move it, or ends.
func (c *simContact) settle() error {
	if c.last == nil || c.last.State.Final() {
		return nil
	}
	for c.state.End == nil {
		o, moved, err := c.step()
		if err != nil || !moved {
			return err
		}
		next, _ := c.sim.plan.Next(c.state, o, c.facts.now)
		c.move(next)
	}
	end, at := c.state.End, c.facts.now
	c.last.State, c.last.Reason, c.last.EndedAt = end.State, end.Reason, &at
	c.note(TraceStep{Kind: TraceEnded, Step: c.state.Step, Visit: c.state.Visit(), Outcome: string(end.State), Note: end.Reason})
	return nil
}

// move takes the enrollment to its next state, and notes the waits that it has passed on the way because their moment was past.
func (c *simContact) move(next State) {
	before := c.state
	c.state = next
	for _, at := range c.sim.plan.Passed(next) {
		for visit := before.Visits[at.Step] + 1; visit <= at.Visit; visit++ {
			c.note(TraceStep{Kind: string(KindWait), Step: at.Step, Visit: visit, Outcome: PortNext})
		}
	}
}

// step is the outcome of the step at hand: its effect, or the end of its pause.
func (c *simContact) step() (Outcome, bool, error) {
	if c.state.Park != nil {
		return c.resolve()
	}
	s := c.sim.def.Step(c.state.Step)
	spec, ok := kindSpec(s.Kind)
	if !ok || spec.act == nil {
		return Outcome{Failed: true, Reason: ReasonImpossibleOutcome}, true, nil
	}
	done := spec.act(c, s)
	if done.err != nil {
		return Outcome{}, false, done.err
	}
	if done.port != PortParked { // a handoff's entry is its outcome
		c.note(TraceStep{Kind: string(s.Kind), Step: s.ID, Visit: c.state.Visit(), Outcome: done.port, Note: done.note, Terms: done.terms})
	}
	return Outcome{Port: done.port}, true, nil
}

// resolve ends the pause, if something does. What was looked at and moved nothing is not looked at again, as in production.
func (c *simContact) resolve() (Outcome, bool, error) {
	names := c.sim.plan.Interests(c.state)
	var events []audience.Event
	for _, e := range c.facts.events {
		if e.Seq > c.state.Seq && slices.Contains(names, e.Name) {
			events = append(events, e)
		}
	}
	var terms []audience.Term
	holds := func(pointer string, e audience.Event) (bool, error) {
		m, _ := c.sim.def.Match(pointer)
		verdict, err := c.verdict(m.When, &e)
		terms = verdict.Terms
		return verdict.Holds, err
	}
	o, ok, err := c.sim.plan.Resolve(c.state, events, holds, c.handoff, c.facts.now)
	if err != nil {
		return o, false, err
	}
	if !ok {
		if len(events) > 0 {
			c.state.Seq = events[len(events)-1].Seq
		}
		return o, false, nil
	}
	c.handoff = nil
	entry := TraceStep{Kind: string(c.sim.plan.Steps[c.state.Step].Kind), Step: c.state.Step, Visit: c.state.Visit(), Outcome: o.Name(), Terms: terms}
	for _, e := range events {
		if e.Seq == o.Seq {
			entry.Event = e.Name
		}
	}
	c.note(entry)
	return o, true, nil
}

func (c *simContact) verdict(source string, e *audience.Event) (audience.Verdict, error) {
	if source == "" {
		return audience.Verdict{Holds: true}, nil
	}
	condition, err := c.sim.conditions.Compile(source)
	if err != nil {
		return audience.Verdict{}, fmt.Errorf("compile a condition: %w", err)
	}
	return condition.Holds(c.facts.with(e))
}

func (c *simContact) note(s TraceStep) {
	s.At = c.facts.now
	c.steps = append(c.steps, s)
}

func (c *simContact) result() ContactTrace {
	t := ContactTrace{User: c.facts.contact.UserID, ContactID: c.facts.contact.ID, Steps: c.steps, State: NeverEntered, Score: c.facts.contact.Score}
	if c.last != nil {
		t.State, t.At = string(c.last.State), c.state.Step
		t.Reason = c.last.Reason
		if !c.last.State.Final() {
			t.State = string(Waiting)
		}
	}
	return t
}

package journey

import (
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Definition is a journey as its author wrote it, in types. It may be wrong: Validate says how.
type Definition struct {
	Journey string // the key
	Name    string // for people
	Enter   []Match
	Reenter Reenter
	// Priority decides between journeys when a cap leaves room for fewer mails than want to go out: the larger goes first.
	Priority int
	// DuringHandoff says what becomes of marketing mail while sales works on the contact; empty is hold.
	DuringHandoff DuringHandoff
	Goal          []Match
	Exit          []Match
	Steps         []Step

	hash string // of the document it was parsed from
}

// Match is an event that something listens to, perhaps under a condition.
type Match struct {
	Event   string    // the name that is listened to, whatever word it was written with
	Word    MatchWord // how it was written; empty: as an event
	When    string    // a condition; empty: always
	Pointer string    // where it stands in the document
}

// DuringHandoff is what a journey's marketing mail does while a handoff of its contact is open, from whatever journey.
type DuringHandoff string

// What it may do.
const (
	DuringHandoffHold DuringHandoff = "hold" // nobody gets an advert while somebody talks with them
	DuringHandoffSend DuringHandoff = "send"
)

// ReenterPolicy says whether a contact may go through a journey again.
type ReenterPolicy string

// The policies.
const (
	ReenterNever  ReenterPolicy = "never"
	ReenterAlways ReenterPolicy = "always"
	ReenterAfter  ReenterPolicy = "after"
)

// Reenter is the rule for entering a journey again. The zero value is never.
type Reenter struct {
	Policy ReenterPolicy
	After  time.Duration // since the last enrollment ended, with the policy after
}

// String is the rule as it is written.
func (r Reenter) String() string {
	switch r.Policy {
	case ReenterAlways:
		return string(ReenterAlways)
	case ReenterAfter:
		return "after " + audience.FormatDuration(r.After)
	case ReenterNever:
	}
	return ""
}

// Step is one step. Exactly the field of its kind is set.
type Step struct {
	ID      string
	Kind    Kind
	Next    string // as written; empty: the step that follows in the list
	Pointer string

	Send    *Send
	Wait    *Wait
	WaitFor *WaitFor
	Branch  []BranchArm
	Split   []SplitArm
	Update  *Update
	Score   *Score
	Webhook *Webhook
	Handoff *Handoff
	Exit    *Exit

	Experiment ExperimentPlan // of a split

	broken bool // it has problems of its own: what follows from them is not reported
}

// Send sends a template.
type Send struct {
	Template  string
	Subject   string // instead of the template's
	Class     string // marketing or transactional
	Topic     string // what the contact can say no to by itself; empty: marketing as a whole
	Window    *audience.Hours
	Otherwise Otherwise
	AISubject *AISubject
	Holdout   *Holdout // nil: everybody gets it
}

// Otherwise is what becomes of a contact whose mail may not go out now: because of a cap, quiet hours or the step's window.
type Otherwise string

// What may become of it. Empty is hold.
const (
	OtherwiseHold Otherwise = "hold" // it waits until the mail may go out
	OtherwiseSkip Otherwise = "skip" // it goes on without the mail
	OtherwiseExit Otherwise = "exit" // it leaves the journey
)

// AISubject asks for a generated subject; without one in time, the written one is used.
type AISubject struct {
	Brief   string
	Segment string // whom it is written for; contacts outside get what is written for everybody
}

// The classes of a send.
const (
	ClassMarketing     = "marketing"
	ClassTransactional = "transactional"
)

// Wait is a pause: exactly one of For and Until.
type Wait struct {
	For   time.Duration
	Until *time.Time
}

// WaitFor waits for the first of some events, and for a time at most.
type WaitFor struct {
	Arms    []EventArm
	After   time.Duration
	Timeout string // where the time leads; empty with Forever
	Forever bool

	ends []waitEnd // every end that was written; a right definition has one
}

type waitEnd struct {
	index   int
	forever bool
}

// EventArm is an event that ends a wait, and where it leads.
type EventArm struct {
	Match
	Go string
}

// BranchArm is a condition and where it leads; the last one is the else.
type BranchArm struct {
	When    string
	Else    bool
	Go      string
	Pointer string
}

// SplitArm is a share of the contacts and where it leads.
type SplitArm struct {
	Weight  int
	Name    string
	Holdout bool
	Go      string
	Pointer string
}

// Update changes traits: a nil value removes one.
type Update struct {
	Set       map[string]any
	Increment map[string]float64
}

// Score adds points, or takes them.
type Score struct {
	Add    int
	Reason string
}

// Webhook posts to an address.
type Webhook struct {
	URL   string
	Event string
}

// Handoff passes the contact to sales and waits for what becomes of it.
type Handoff struct {
	Why      string
	Won      string
	Lost     string
	Rejected string
	Expires  *Expires
}

// Expires ends a handoff that sales left alone.
type Expires struct {
	After time.Duration
	Go    string
}

// Exit ends the journey.
type Exit struct {
	Reason string
}

// Step finds a step by its id.
func (d *Definition) Step(id string) *Step {
	for i := range d.Steps {
		if d.Steps[i].ID == id {
			return &d.Steps[i]
		}
	}
	return nil
}

// Match finds an event match (of enter, goal, exit, a wait_for or an experiment) by its pointer.
func (d *Definition) Match(pointer string) (Match, bool) {
	for _, m := range d.matches() {
		if m.Pointer == pointer {
			return m, true
		}
	}
	return Match{}, false
}

// matches lists every event match in the order of the document's parts.
func (d *Definition) matches() []Match {
	var all []Match
	all = append(all, d.Enter...)
	all = append(all, d.Goal...)
	all = append(all, d.Exit...)
	for i := range d.Steps {
		if w := d.Steps[i].WaitFor; w != nil {
			for _, arm := range w.Arms {
				all = append(all, arm.Match)
			}
		}
		all = append(all, d.Steps[i].goal()...)
	}
	return all
}

// goal is what a step's own experiment is judged by, where it is not the journey's goal.
func (s *Step) goal() []Match {
	if s.Send != nil && s.Send.Holdout != nil {
		return s.Send.Holdout.Goal
	}
	return s.Experiment.Goal
}

// ConditionAt is a condition and where it stands.
type ConditionAt struct {
	Pointer string // of the condition's text
	StepID  string
	Source  string
}

// Conditions lists every condition: of the matches, then of the branches.
func (d *Definition) Conditions() []ConditionAt {
	var all []ConditionAt
	add := func(pointer, stepID, source string) {
		if source != "" {
			all = append(all, ConditionAt{Pointer: pointer + "/when", StepID: stepID, Source: source})
		}
	}
	for _, list := range [][]Match{d.Enter, d.Goal, d.Exit} {
		for _, m := range list {
			add(m.Pointer, "", m.When)
		}
	}
	for i := range d.Steps {
		s := &d.Steps[i]
		if s.WaitFor != nil {
			for _, arm := range s.WaitFor.Arms {
				add(arm.Pointer, s.ID, arm.When)
			}
		}
		for _, arm := range s.Branch {
			add(arm.Pointer, s.ID, arm.When)
		}
		for _, m := range s.goal() {
			add(m.Pointer, s.ID, m.When)
		}
	}
	return all
}

// Hash is the content hash of the document that the definition was parsed from.
func (d *Definition) Hash() string { return d.hash }

package journey

import "time"

// Kind names what a step does. The kind table (kind.go) is the one place that knows the kinds.
type Kind string

// The kinds.
const (
	KindSend    Kind = "send"
	KindWait    Kind = "wait"
	KindWaitFor Kind = "wait_for"
	KindBranch  Kind = "branch"
	KindSplit   Kind = "split"
	KindUpdate  Kind = "update"
	KindScore   Kind = "score"
	KindHandoff Kind = "handoff"
	KindWebhook Kind = "webhook"
	KindExit    Kind = "exit"
)

// Plan is the compiled form of a version: control flow only, small enough to travel in a workflow's history.
// Conditions, templates and texts stay in the version's document; activities read them there by hash and step.
// It is stored in histories: change it additively only.
type Plan struct {
	Journey string              `json:"journey"`
	Hash    string              `json:"hash"`
	First   string              `json:"first"` // id of the first step
	Steps   map[string]PlanStep `json:"steps"`
	Goal    []Arm               `json:"goal,omitempty"`
	Exit    []Arm               `json:"exit,omitempty"`
}

// PlanStep is one step: its kind, where each outcome leads, and what it waits for when it parks.
type PlanStep struct {
	Kind  Kind              `json:"kind"`
	Ports map[string]string `json:"ports,omitempty"` // outcome port → step id: "next"; "0","1",…,"else"; "timeout"; "won","lost","rejected","expired"
	Arms  []Arm             `json:"arms,omitempty"`  // wait_for: events in the order of the definition; arm i leaves by port "<i>"
	// For is how long the step waits at most (wait, wait_for, handoff); zero: no deadline of that form.
	For time.Duration `json:"for,omitempty"`
	// Until is the absolute end of a wait; in the past it passes at once.
	Until *time.Time `json:"until,omitempty"`
	// AISubject asks for a generated subject before the send.
	AISubject bool `json:"ai_subject,omitempty"`
	// ExitReason is what an exit step says.
	ExitReason string `json:"exit_reason,omitempty"`
}

// Arm is an event that a parked enrollment listens to. Conditional: its `when` (in the document, at Pointer) must hold too.
type Arm struct {
	Event       string `json:"event"`
	Conditional bool   `json:"conditional,omitempty"`
	Pointer     string `json:"pointer"` // JSON pointer of the match in the document, such as /steps/1/wait_for/0
}

// State is where an enrollment is, as the workflow carries it (also across continue-as-new). Additive only.
type State struct {
	Step   string         `json:"step,omitempty"`
	Visits map[string]int `json:"visits,omitempty"` // how often each step was entered; the current visit is Visits[Step]
	// Seq is the last event that moved this enrollment: later ones count. Since is the end of the last pause that ended by time:
	// events received up to then do not count for the arms of a later wait_for (they still count for goal and exit).
	Seq   int64      `json:"seq"`
	Since *time.Time `json:"since,omitempty"`
	// Park is set while the enrollment waits.
	Park *Park `json:"park,omitempty"`
	// Hops counts steps since the last park: a guard against loops that validation did not see.
	Hops int `json:"hops,omitempty"`
	// End is set once the enrollment is over.
	End *End `json:"end,omitempty"`
}

// Visit is how often the current step has been entered, from 1.
func (s State) Visit() int { return s.Visits[s.Step] }

// Park is a pause: at a wait, a wait_for or a handoff.
type Park struct {
	Deadline *time.Time `json:"deadline,omitempty"` // nil: no end by time
	Handoff  bool       `json:"handoff,omitempty"`  // a handoff's outcome ends it
	Held     bool       `json:"held,omitempty"`     // the step wants to be performed, and may be at the deadline
}

// End says how an enrollment ended.
type End struct {
	State  EnrollmentState `json:"state"`
	Reason string          `json:"reason,omitempty"`
}

// Outcome is what happened at the current step. Exactly one of the forms:
//   - Port: the step was performed, or the pause ended, and leaves by that port;
//   - Goal or Exit: an event ended the enrollment wherever it was;
//   - Failed: the step can't ever be performed; Reason is a stable code.
type Outcome struct {
	Port   string     `json:"port,omitempty"`
	Goal   bool       `json:"goal,omitempty"`
	Exit   bool       `json:"exit,omitempty"`
	Failed bool       `json:"failed,omitempty"`
	Reason string     `json:"reason,omitempty"`
	Seq    int64      `json:"seq,omitempty"` // the event that decided, when one did
	At     *time.Time `json:"at,omitempty"`  // the deadline that passed, when time decided
}

// Name is how an outcome reads in the journal and in a simulation: its port, or goal, exit, failed.
func (o Outcome) Name() string {
	switch {
	case o.Goal:
		return "goal"
	case o.Exit:
		return "exit"
	case o.Failed:
		return "failed"
	}
	return o.Port
}

// Command is what the driver does next: perform the step's effect, park, or end.
type Command struct {
	Perform bool  `json:"perform,omitempty"` // perform State.Step, then call Next with its outcome
	Park    *Park `json:"park,omitempty"`    // wait; a handoff is performed once (Perform first) and then parks
	End     *End  `json:"end,omitempty"`
}

// The ports that are not arm numbers.
const (
	PortNext     = "next"
	PortElse     = "else"
	PortTimeout  = "timeout"
	PortWon      = "won"
	PortLost     = "lost"
	PortRejected = "rejected"
	PortExpired  = "expired"
	PortParked   = "parked" // a handoff was made: now wait for its outcome
	PortHeld     = "held"   // a send may not be made before Outcome.At
	PortAgain    = "again"  // its time has come: it is tried again
)

package journey

import (
	"cmp"
	"slices"
	"time"

	"throughline.dev/throughline/internal/report"
)

// Tally is what a journey's numbers are made of: how often each thing stands in the tables, all read at one moment.
type Tally struct {
	Enrollments []EnrollmentTally
	Decisions   []DecisionTally
	Stranded    []StrandedTally
	Experiments []ExperimentRecord // those of the definition that have begun
	Messages    []MessageTally
	Clicks      []ClickTally
	Days        []Day
}

// EnrollmentTally counts enrollments that stand alike. Step is empty when they are over.
type EnrollmentTally struct {
	State  EnrollmentState
	Reason string
	Step   string
	Total  int64
}

// DecisionTally counts decisions of one step with one outcome.
type DecisionTally struct {
	Step, Kind, Outcome string
	Total               int64
}

// StrandedTally counts enrollments that failed or were cancelled at a step, and left nothing else there.
type StrandedTally struct {
	Step  string
	Total int64
}

// MessageTally counts mails of one step in one state. Port is the way that their contacts went on, empty while they still stand there.
type MessageTally struct {
	Step, State, Reason, Port string
	Total                     int64
}

// ClickTally counts mails of one step of which a person has followed a link.
type ClickTally struct {
	Step  string
	Total int64
}

// Day is what happened in a journey on one day, of UTC.
type Day struct {
	Day       string `json:"day" format:"date"`
	Entered   int64  `json:"entered"`
	Converted int64  `json:"converted"`
	Sent      int64  `json:"sent"`
}

// Numbers are what a journey has done so far.
type Numbers struct {
	Journey     string        `json:"journey"`
	Version     int           `json:"version" doc:"0: all versions together."`
	At          time.Time     `json:"at" doc:"The moment that all of them are of."`
	Entered     int64         `json:"entered"`
	Active      int64         `json:"active" doc:"Are inside now."`
	Converted   int64         `json:"converted" doc:"Reached the goal."`
	Conversion  report.Share  `json:"conversion" doc:"Of all who entered, with the 95 % interval."`
	Ended       []ReasonCount `json:"ended" nullable:"false" doc:"How the others ended, most frequent first."`
	Steps       []StepCount   `json:"steps" nullable:"false" doc:"In the order of the definition."`
	Ways        []WayCount    `json:"ways" nullable:"false" doc:"How often each way out of a step was taken."`
	Experiments []Experiment  `json:"experiments" nullable:"false" doc:"One for each split, and for each mail that is withheld from some. They count all versions that have them."`
	Days        []Day         `json:"days" nullable:"false" doc:"The last 30 days, for all versions."`
}

// ReasonCount counts what has the same state and reason.
type ReasonCount struct {
	State  string `json:"state"`
	Reason string `json:"reason"`
	Total  int64  `json:"total"`
}

// StepCount is what happened at a step.
type StepCount struct {
	Step    string        `json:"step"`
	Entered int64         `json:"entered" doc:"How often contacts came to it; a contact may come again."`
	Here    int64         `json:"here" doc:"Stand there now."`
	Sent    int64         `json:"sent,omitempty"`
	Clicked int64         `json:"clicked,omitempty" doc:"Mails of which a person has followed a link. Machines are not counted."`
	Unsent  []ReasonCount `json:"unsent,omitempty" doc:"Mails that were not sent, by state and reason."`
}

// WayCount is how often a way out of a step was taken. Ports that the definition does not have, such as goal, are ways out of the journey.
type WayCount struct {
	Step  string `json:"step"`
	Port  string `json:"port"`
	Total int64  `json:"total"`
}

// CountUp makes a journey's numbers of a tally. Steps that the definition does not have, as other versions may, come last.
func CountUp(definition *Definition, t Tally) Numbers {
	n := Numbers{Ended: []ReasonCount{}, Steps: []StepCount{}, Ways: []WayCount{}, Experiments: []Experiment{}, Days: t.Days}
	kinds := map[string]Kind{}
	steps := map[string]*StepCount{}
	var order []string
	at := func(id string) *StepCount {
		if steps[id] == nil {
			steps[id] = &StepCount{Step: id}
			order = append(order, id)
		}
		return steps[id]
	}
	for _, s := range definition.Steps {
		kinds[s.ID] = s.Kind
		at(s.ID)
	}
	n.countEnrollments(t.Enrollments, at)
	n.countDecisions(t.Decisions, kinds, at)
	for _, stranded := range t.Stranded {
		at(stranded.Step).Entered += stranded.Total
	}
	n.countMessages(t.Messages, at)
	for _, clicked := range t.Clicks {
		if clicked.Step != "" {
			at(clicked.Step).Clicked += clicked.Total
		}
	}
	for _, id := range order {
		n.Steps = append(n.Steps, *steps[id])
	}
	n.Conversion = report.ShareOf(n.Converted, n.Entered)
	slices.SortFunc(n.Ended, mostFirst)
	slices.SortFunc(n.Ways, func(a, b WayCount) int { return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Port, b.Port)) })
	for _, planned := range definition.Experiments() {
		n.Experiments = append(n.Experiments, planned.among(t.Experiments).Show())
	}
	return n
}

func (n *Numbers) countEnrollments(tallies []EnrollmentTally, at func(string) *StepCount) {
	for _, e := range tallies {
		n.Entered += e.Total
		switch {
		case !e.State.Final():
			n.Active += e.Total
			if e.Step != "" {
				at(e.Step).Here += e.Total
				at(e.Step).Entered += e.Total
			}
		case e.State == Completed && e.Reason == ReasonGoal:
			n.Converted += e.Total
		default:
			n.Ended = append(n.Ended, ReasonCount{State: string(e.State), Reason: e.Reason, Total: e.Total})
		}
	}
}

// countDecisions counts who has left a step. A step that ends the journey decides nothing itself: being over is what was decided there.
func (n *Numbers) countDecisions(tallies []DecisionTally, kinds map[string]Kind, at func(string) *StepCount) {
	for _, d := range tallies {
		kind := kinds[d.Step]
		switch {
		case kind == KindExit && d.Kind == string(Completed):
			at(d.Step).Entered += d.Total
		case kind == KindExit || string(kind) != d.Kind && (kind != "" || !isKind(d.Kind)):
		default:
			at(d.Step).Entered += d.Total
			n.Ways = append(n.Ways, WayCount{Step: d.Step, Port: d.Outcome, Total: d.Total})
		}
	}
}

// countMessages counts mails; those that are over were left behind on the way on.
func (n *Numbers) countMessages(tallies []MessageTally, at func(string) *StepCount) {
	onward := map[WayCount]int64{}
	for _, m := range tallies {
		if m.Step == "" {
			continue
		}
		step := at(m.Step)
		if m.State == "sent" {
			step.Sent += m.Total
		} else {
			step.Unsent = append(step.Unsent, ReasonCount{State: m.State, Reason: m.Reason, Total: m.Total})
			slices.SortFunc(step.Unsent, mostFirst)
		}
		if m.Port != "" {
			step.Entered += m.Total
			onward[WayCount{Step: m.Step, Port: m.Port}] += m.Total
		}
	}
	for way, total := range onward {
		n.Ways = append(n.Ways, WayCount{Step: way.Step, Port: way.Port, Total: total})
	}
}

func isKind(kind string) bool {
	_, ok := kindSpec(Kind(kind))
	return ok
}

func mostFirst(a, b ReasonCount) int {
	return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.State, b.State), cmp.Compare(a.Reason, b.Reason))
}

// MessageClicked stands among the states of mails for those of which a person has followed a link.
const MessageClicked = "clicked"

// Counted says which contacts are behind a number: those who stand at Step (none: all who entered) in State with Reason; or, with an
// Outcome, those for whom Step decided it; or, with a Message state, those whose mail of Step came to it.
type Counted struct {
	Version int
	Step    string
	State   string
	Reason  string
	Outcome string
	Message string
}

// CountedContact is one of the contacts behind a number.
type CountedContact struct {
	ContactID string    `json:"contact_id"`
	Email     string    `json:"email,omitempty"`
	UserID    string    `json:"user_id,omitempty"`
	At        time.Time `json:"at"`
	Outcome   string    `json:"outcome"`
	Reason    string    `json:"reason,omitempty"`
}

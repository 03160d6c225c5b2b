package journey

import (
	"fmt"
	"slices"
	"time"
)

// The answers to "why did this person get this, or not?".
const (
	WhyPassed       = "passed"        // the step was performed
	WhyHere         = "here"          // the contact stands at the step
	WhyNotYet       = "not_yet"       // the contact is on its way and may still come to the step
	WhyOtherWay     = "other_way"     // a step before it led another way
	WhyEnded        = "ended"         // the enrollment ended before the step
	WhyNotEntered   = "not_entered"   // the contact was not let into the journey
	WhyNeverEntered = "never_entered" // nothing enrolled the contact
	WhyNotPublished = "not_published" // nobody can enter the journey
	WhyNoSuchStep   = "no_such_step"  // the contact is in a version that has no such step
)

// Past is what is known of a contact and a journey.
type Past struct {
	Definition *Definition // of the enrollment's version
	Plan       *Plan
	Enrollment *Enrollment // the newest; nil: never enrolled
	Made       []Decision  // of the enrollment's steps, in their order
	Refused    *Decision   // the newest time that the contact was kept out; nil: never
	Live       bool        // contacts can enter the journey
}

// Answer is why a contact got, or did not get, to a step.
type Answer struct {
	Code  string     `json:"code" doc:"Stable. Of a message also its state: sent, skipped, failed and so on."`
	Words string     `json:"words" doc:"The answer as a sentence."`
	Step  string     `json:"step,omitempty" doc:"The step that decided, or where the contact stands."`
	At    *time.Time `json:"at,omitempty" doc:"When that was decided."`
	Until *time.Time `json:"until,omitempty" doc:"Until when the contact waits there at most."`
	// Reason is the code of a refusal or an end, where there is one.
	Reason       string `json:"reason,omitempty" doc:"The code of a reason, or its author's text."`
	EnrollmentID string `json:"enrollment_id,omitempty"`
	Version      int    `json:"version,omitempty" doc:"Of the journey, that the contact is or was in."`
	// Pauses are in the order of time.
	Pauses []Pause `json:"pauses,omitempty" doc:"When the journey stood still, from when the contact entered to when this was decided."`
}

// Explain says why a contact came, or did not come, to a step. It is pure.
func (p Past) Explain(target string) Answer {
	if p.Enrollment == nil {
		return p.outside()
	}
	a := Answer{EnrollmentID: p.Enrollment.ID, Version: p.Enrollment.Version}
	step, ok := p.Plan.Steps[target]
	if !ok {
		a.Code, a.Words = WhyNoSuchStep, fmt.Sprintf("The contact is in version %d of the journey, which has no step %s.", p.Enrollment.Version, target)
		return a
	}
	if made := p.lastAt(target); made != nil {
		a.Code, a.Step, a.At = WhyPassed, target, &made.At
		a.Words = "The contact was at this step. " + p.Definition.Tell(*made)
		return a
	}
	open := !p.Enrollment.State.Final()
	here := orElse(p.Enrollment.Step, p.Plan.First)
	switch {
	case open && here == target:
		a.Code, a.Step, a.Until = WhyHere, target, p.Enrollment.WakeAt
		a.Words = fmt.Sprintf("The contact is at %s now%s.", target, p.waits(target))
		return a
	case open && p.Plan.leads(here, target):
		a.Code, a.Step, a.Until = WhyNotYet, here, p.Enrollment.WakeAt
		a.Words = fmt.Sprintf("It hasn't reached %s yet: it is at %s%s.", target, here, p.waits(here))
		return a
	case !open && here == target && step.Kind == KindExit:
		a.Code, a.Step, a.At = WhyPassed, target, p.Enrollment.EndedAt
		a.Words = sentence("The journey ended here. " + ending(p.Enrollment.State, p.Enrollment.Reason))
		return a
	}
	return p.missed(a, target)
}

// missed is about who can't come to the step any more: a step led another way, or the enrollment ended.
func (p Past) missed(a Answer, target string) Answer {
	for _, made := range slices.Backward(p.Made) {
		next := text(made.Detail, "next")
		if next == "" || !p.Plan.leads(made.StepID, target) {
			continue
		}
		if p.Plan.leads(next, target) || next == target {
			break // it was still on its way there: the end came between
		}
		a.Code, a.Step, a.At = WhyOtherWay, made.StepID, &made.At
		a.Words = fmt.Sprintf("At %s it went another way, to %s. %s", made.StepID, next, p.Definition.Tell(made))
		return a
	}
	a.Code, a.Step, a.At, a.Reason = WhyEnded, p.Enrollment.Step, p.Enrollment.EndedAt, p.Enrollment.Reason
	if p.Enrollment.EndedAt == nil { // it goes on, by a way that the record does not tell
		a.Code = WhyOtherWay
		a.Words = fmt.Sprintf("It is at %s now, from where no way leads to %s.", orElse(p.Enrollment.Step, p.Plan.First), target)
		return a
	}
	a.Words = sentence(joined(" ", "It did not get that far.", ending(p.Enrollment.State, p.Enrollment.Reason)))
	return a
}

// outside is about who was never enrolled.
func (p Past) outside() Answer {
	if p.Refused != nil {
		var d *Definition
		return Answer{Code: WhyNotEntered, Reason: p.Refused.Reason, At: &p.Refused.At, Words: "Not entered. " + d.Tell(*p.Refused)}
	}
	if !p.Live {
		return Answer{Code: WhyNotPublished, Words: "Nobody can enter this journey: no version is live."}
	}
	return Answer{Code: WhyNeverEntered, Words: "Never entered this journey: nothing enrolled the contact. No event that starts it has come since it went live."}
}

func (p Past) lastAt(target string) *Decision {
	for _, made := range slices.Backward(p.Made) {
		if made.StepID == target && made.Kind == string(p.Plan.Steps[target].Kind) {
			return &made
		}
	}
	return nil
}

// waits says what a step waits for.
func (p Past) waits(id string) string {
	if p.Enrollment.State != Waiting {
		return ""
	}
	waiting, _ := p.Definition.WaitsFor(id)
	if len(waiting) == 0 {
		return " and waits"
	}
	return " and waits for " + WaitFor{Arms: armsOf(p.Definition, id)}.words()
}

func armsOf(d *Definition, id string) []EventArm {
	if s := d.Step(id); s != nil && s.WaitFor != nil {
		return s.WaitFor.Arms
	}
	return nil
}

// WaitsFor lists what a step waits for, in words, and tells the step's kind.
func (d *Definition) WaitsFor(id string) ([]string, Kind) {
	s := d.Step(id)
	if s == nil {
		return nil, ""
	}
	var all []string
	for _, arm := range armsOf(d, id) {
		all = append(all, arm.Words())
	}
	return all, s.Kind
}

// leads tells whether a way goes from one step to another, over at least one port.
func (p *Plan) leads(from, to string) bool {
	seen := map[string]bool{}
	queue := []string{from}
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		for _, next := range p.Steps[id].Ports {
			if next == to {
				return true
			}
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return false
}

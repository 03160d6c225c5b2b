package journey

import (
	"maps"
	"time"
)

// maxHops bounds the steps between two pauses: a guard against loops that validation did not see.
const maxHops = 1000

// The reasons of an end that the plan itself gives. An exit step gives its own.
const (
	ReasonGoal              = "goal"
	ReasonExitEvent         = "exit_event"
	ReasonImpossibleOutcome = "impossible_outcome"
	ReasonEndlessLoop       = "endless_loop"
	ReasonUnknownStep       = "unknown_step"
)

// Start is the state of an enrollment that begins, and what to do first. Events after seq count for it. The first step may be a pause,
// which is why it takes the time.
func (p *Plan) Start(seq int64, now time.Time) (State, Command) {
	return p.enter(State{Seq: seq}, p.First, now)
}

// Next is what an outcome leads to. It is pure and total: it never panics, never changes its input, and gives for any outcome a state
// that performs, is parked, or has ended.
func (p *Plan) Next(s State, o Outcome, now time.Time) (State, Command) {
	s = s.clone()
	if s.End != nil {
		return s, Command{End: s.End}
	}
	switch {
	case o.Port == PortHeld && s.Park == nil && o.At != nil:
		until := *o.At
		return s.park(&Park{Deadline: &until, Held: true})
	case o.Port == PortAgain && s.Park != nil && s.Park.Held:
		s.Park = nil
		return s, Command{Perform: true}
	case o.Seq > 0:
		s.Seq, s.Since = o.Seq, nil
	case o.At != nil:
		at := *o.At
		s.Since = &at
	}
	switch {
	case o.Failed:
		return s.end(Failed, o.Reason)
	case o.Goal:
		return s.end(Completed, ReasonGoal)
	case o.Exit && o.Reason != "": // no event: the step itself says so
		return s.end(Exited, o.Reason)
	case o.Exit:
		return s.end(Exited, ReasonExitEvent)
	}
	step, ok := p.Steps[s.Step]
	if !ok {
		return s.end(Failed, ReasonUnknownStep)
	}
	if o.Port == PortParked && step.Kind == KindHandoff && s.Park == nil {
		return s.park(&Park{Handoff: true, Deadline: step.deadline(now)})
	}
	target, ok := step.Ports[o.Port]
	if !ok {
		return s.end(Failed, ReasonImpossibleOutcome)
	}
	return p.enter(s, target, now)
}

// enter goes to a step, and on through those that need nothing to be done.
func (p *Plan) enter(s State, id string, now time.Time) (State, Command) {
	s.Park = nil
	for {
		step, ok := p.Steps[id]
		if !ok {
			return s.end(Failed, ReasonUnknownStep)
		}
		if s.Visits == nil {
			s.Visits = map[string]int{}
		}
		s.Step = id
		s.Visits[id]++
		s.Hops++
		if s.Hops > maxHops {
			return s.end(Failed, ReasonEndlessLoop)
		}
		switch step.Kind {
		case KindExit:
			return s.end(Completed, step.ExitReason)
		case KindWaitFor:
			return s.park(&Park{Deadline: step.deadline(now)})
		case KindWait:
			if step.Until == nil || step.Until.After(now) {
				return s.park(&Park{Deadline: step.deadline(now)})
			}
			id = step.Ports[PortNext] // the moment is past: pass at once
		case KindSend, KindBranch, KindSplit, KindUpdate, KindScore, KindHandoff, KindWebhook:
			return s, Command{Perform: true}
		default:
			return s, Command{Perform: true} // a kind that this code does not know: its driver says so
		}
	}
}

func (p PlanStep) deadline(now time.Time) *time.Time {
	at := now.Add(p.For)
	switch {
	case p.Until != nil:
		at = *p.Until
	case p.For <= 0:
		return nil
	}
	return &at
}

func (s State) clone() State {
	s.Visits = maps.Clone(s.Visits)
	if s.Park != nil {
		park := *s.Park
		s.Park = &park
	}
	return s
}

func (s State) park(park *Park) (State, Command) {
	s.Park, s.Hops = park, 0
	return s, Command{Park: park}
}

func (s State) end(state EnrollmentState, reason string) (State, Command) {
	s.Park, s.Hops = nil, 0
	s.End = &End{State: state, Reason: reason}
	return s, Command{End: s.End}
}

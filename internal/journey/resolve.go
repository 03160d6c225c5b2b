package journey

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// HandoffResult is what became of a handoff.
type HandoffResult struct {
	Port string    `json:"port"` // won, lost, rejected or expired
	At   time.Time `json:"at"`
}

// Holds evaluates the condition of the match at a pointer, with that event as event.*.
type Holds func(pointer string, e audience.Event) (bool, error)

// Interests are the names of the events that can move an enrollment now, sorted: goal, exit, and what its pause waits for. While a step
// is being performed nobody knows which pause comes next, so all arms of the plan count.
func (p *Plan) Interests(s State) []string {
	if s.End != nil {
		return nil
	}
	names := map[string]bool{}
	for _, list := range [][]Arm{p.Goal, p.Exit} {
		for _, arm := range list {
			names[arm.Event] = true
		}
	}
	for id, step := range p.Steps {
		if s.Park != nil && id != s.Step {
			continue
		}
		for _, arm := range step.Arms {
			names[arm.Event] = true
		}
	}
	return sortedKeys(names)
}

// Resolve tells how a parked enrollment moves on, if it does. The order is the order of time, as far as the facts tell it:
//
//  1. Events after State.Seq, one by one in the order of their sequence, each received not after the deadline. Of one event, the goal
//     comes before the exits, and these before the arms in the order of the definition. Arms belong to a wait_for only, and to events
//     received after Since: what came while an earlier pause ran to its end belongs to that pause.
//  2. The outcome of the handoff, when the pause waits for one.
//  3. The deadline, when it is due: now has reached it, or an event was received after it.
//
// An event after the deadline is left to the step that the deadline leads to, so that resolving events one by one as they come and all of
// them at once, late, give the same.
func (p *Plan) Resolve(s State, events []audience.Event, holds func(pointer string, e audience.Event) (bool, error), handoff *HandoffResult, now time.Time) (Outcome, bool, error) {
	if s.Park == nil || s.End != nil {
		return Outcome{}, false, nil
	}
	deadline := s.Park.Deadline
	due := deadline != nil && !now.Before(*deadline)
	for _, e := range inOrder(events, s.Seq) {
		if deadline != nil && e.ReceivedAt.After(*deadline) {
			due = true
			break
		}
		o, ok, err := p.match(s, e, holds)
		if err != nil || ok {
			return o, ok, err
		}
	}
	switch {
	case s.Park.Handoff && handoff != nil:
		return Outcome{Port: handoff.Port}, true, nil
	case due && s.Park.Held:
		return Outcome{Port: PortAgain}, true, nil
	case due:
		at := *deadline
		return Outcome{Port: p.deadlinePort(s.Step), At: &at}, true, nil
	}
	return Outcome{}, false, nil
}

// Ended tells whether a goal or exit event has come since the enrollment last moved, wherever it is: a step that is about to act looks
// once more.
func (p *Plan) Ended(s State, events []audience.Event, holds func(pointer string, e audience.Event) (bool, error)) (Outcome, bool, error) {
	if s.End != nil {
		return Outcome{}, false, nil
	}
	for _, e := range inOrder(events, s.Seq) {
		o, ok, err := p.ends(e, holds)
		if err != nil || ok {
			return o, ok, err
		}
	}
	return Outcome{}, false, nil
}

// match tries one event: goal, exit, arms.
func (p *Plan) match(s State, e audience.Event, holds Holds) (Outcome, bool, error) {
	if o, ok, err := p.ends(e, holds); err != nil || ok {
		return o, ok, err
	}
	if s.Since != nil && !e.ReceivedAt.After(*s.Since) {
		return Outcome{}, false, nil
	}
	i, err := firstArm(p.Steps[s.Step].Arms, e, holds)
	if err != nil || i < 0 {
		return Outcome{}, false, err
	}
	return Outcome{Port: strconv.Itoa(i), Seq: e.Seq}, true, nil
}

func (p *Plan) ends(e audience.Event, holds Holds) (Outcome, bool, error) {
	if i, err := firstArm(p.Goal, e, holds); err != nil || i >= 0 {
		return Outcome{Goal: true, Seq: e.Seq}, err == nil, err
	}
	if i, err := firstArm(p.Exit, e, holds); err != nil || i >= 0 {
		return Outcome{Exit: true, Seq: e.Seq}, err == nil, err
	}
	return Outcome{}, false, nil
}

// firstArm is the index of the first arm that an event matches, or -1.
func firstArm(arms []Arm, e audience.Event, holds Holds) (int, error) {
	for i, arm := range arms {
		if arm.Event != e.Name || e.Name == "" {
			continue
		}
		if !arm.Conditional {
			return i, nil
		}
		ok, err := holds(arm.Pointer, e)
		if err != nil {
			return -1, fmt.Errorf("condition at %s: %w", arm.Pointer, err)
		}
		if ok {
			return i, nil
		}
	}
	return -1, nil
}

func (p *Plan) deadlinePort(step string) string {
	switch p.Steps[step].Kind {
	case KindWaitFor:
		return PortTimeout
	case KindHandoff:
		return PortExpired
	default:
		return PortNext
	}
}

// inOrder are the events after seq in the order of their sequence. The caller's slice stays as it is.
func inOrder(events []audience.Event, seq int64) []audience.Event {
	var later []audience.Event
	for _, e := range events {
		if e.Seq > seq {
			later = append(later, e)
		}
	}
	slices.SortStableFunc(later, func(a, b audience.Event) int {
		switch {
		case a.Seq < b.Seq:
			return -1
		case a.Seq > b.Seq:
			return 1
		}
		return 0
	})
	return later
}

package audience

import (
	"errors"
	"fmt"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"throughline.dev/throughline/internal/fault"
)

// tick is the grain of time in the database: what changes after a moment is another a tick later.
const tick = time.Microsecond

// Stands evaluates the condition without keeping its terms, and tells until when the answer is good. It is what segments and scoring
// rules use: quicker than Holds, with the same answer.
func (c *Condition) Stands(facts Facts) (Standing, error) {
	asked := &questions{facts: facts, now: facts.Now()}
	value, _, evalErr := asked.evaluate(c.plain)
	if asked.err != nil {
		return Standing{}, fmt.Errorf("read the facts for a condition: %w", asked.err)
	}
	var cancelled interpreter.EvalCancelledError
	if !errors.As(evalErr, &cancelled) && (errors.Is(evalErr, interpreter.InterruptError{}) || errors.Is(evalErr, errTooSlow)) {
		return Standing{}, fault.Wrap(fault.Unavailable, "condition_interrupted", "The condition took too long.", evalErr)
	}
	until, err := c.until(asked)
	if err != nil {
		return Standing{}, fmt.Errorf("read the facts for a condition: %w", err)
	}
	return Standing{Holds: evalErr == nil && value == types.True, Until: until}, nil
}

// until is the earliest moment at which a part of the condition may answer otherwise by time alone, whether or not it decided this time.
func (c *Condition) until(asked *questions) (time.Time, error) {
	var earliest time.Time
	note := func(at time.Time) {
		if at.After(asked.now) && (earliest.IsZero() || at.Before(earliest)) {
			earliest = at
		}
	}
	for _, q := range c.names.Questions {
		if q.Within == 0 {
			continue
		}
		t, err := asked.tally(q)
		if err != nil {
			return time.Time{}, err
		}
		if t.Count > 0 {
			note(t.Oldest.Add(q.Within))
		}
	}
	if c.names.Score {
		note(asked.facts.Score().ChangesAt)
	}
	for _, clock := range c.clocks {
		if at, ok := clock.boundary(asked); ok {
			note(at)
			note(at.Add(tick)) // "later than" begins to hold only then
		}
	}
	return earliest, asked.err
}

package sales

import (
	"math"
	"time"
)

// tick is the resolution of time: that of the database.
const tick = time.Microsecond

// maxSteps bounds the search for the next change of a sum of amounts that rise and fall against each other.
const maxSteps = 2000

// changesAt is the first moment after a moment at which the rounded engagement is another by decay alone; zero: never. The fit does not
// decay, so nothing else of a score can change by itself.
func (m *Model) changesAt(s ScoreState, at time.Time) time.Time {
	c := m.curve(s, at)
	if c == nil {
		return time.Time{}
	}
	ticks, ok := c.next()
	if !ok {
		return time.Time{}
	}
	return c.start.Add(time.Duration(ticks) * tick)
}

// curve is a contact's engagement as time goes by, from a moment on. Every amount moves towards zero, so each term's extremes over a span
// of time lie at its ends.
type curve struct {
	start time.Time
	terms []term
	fixed float64 // what does not fade
	now   int     // the rounded sum at the start
	same  bool    // all terms have the same sign: the sum only falls, or only rises
}

type term struct {
	group
	amount Decayed
}

func (m *Model) curve(s ScoreState, at time.Time) *curve {
	if m == nil || len(s.Engagement) == 0 {
		return nil
	}
	c := &curve{start: instant(at), same: true}
	for _, g := range m.groups {
		amount, ok := s.Engagement[g.key]
		switch {
		case !ok || amount.Value == 0:
		case g.halfLife == 0:
			c.fixed += g.within(amount.Value)
		default:
			c.terms = append(c.terms, term{g, amount})
			c.same = c.same && math.Signbit(amount.Value) == math.Signbit(c.terms[0].amount.Value)
		}
	}
	if len(c.terms) == 0 {
		return nil
	}
	c.now = c.rounded(0)
	return c
}

func (t term) at(c *curve, ticks int64) float64 {
	return t.within(t.amount.worth(c.start.Add(time.Duration(ticks)*tick), t.halfLife))
}

func (c *curve) sum(ticks int64) float64 {
	sum := c.fixed
	for _, t := range c.terms {
		sum += t.at(c, ticks)
	}
	return sum
}

func (c *curve) rounded(ticks int64) int { return round(c.sum(ticks)) }

// next is the first tick at which the rounded sum is another than at the start.
func (c *curve) next() (int64, bool) {
	end := c.end()
	if c.same {
		if c.rounded(end) == c.now {
			return 0, false
		}
		return c.bisect(0, end), true
	}
	steps := maxSteps
	return c.search(0, end, &steps)
}

// end is a tick by which so little is left of all terms that nothing changes after it.
func (c *curve) end() int64 {
	longest := int64(1)
	for _, t := range c.terms {
		// Whatever is left then is below any difference that rounding sees.
		size := math.Max(math.Abs(t.amount.Value)*float64(len(c.terms))/(tolerance/4), 2)
		lasts := t.amount.At.Sub(c.start)/tick + time.Duration(math.Ceil(math.Log2(size)*float64(t.halfLife/tick))) + 1
		longest = max(longest, int64(min(lasts, time.Duration(math.MaxInt64/int64(tick)))))
	}
	return longest
}

// bisect finds the change of a sum that only falls, or only rises, between a tick where it is as at the start and one where it is not.
// The first guess is where the tangent leads: close enough that a few steps around it do.
func (c *curve) bisect(same, other int64) int64 {
	for range 8 {
		guess := c.guess(same)
		if guess <= same || guess >= other {
			break
		}
		if c.rounded(guess) == c.now {
			same = guess
			continue
		}
		other = guess
		if near := guess - 16; near > same && c.rounded(near) == c.now {
			same = near
		}
		break
	}
	for other-same > 1 {
		middle := same + (other-same)/2
		if c.rounded(middle) == c.now {
			same = middle
		} else {
			other = middle
		}
	}
	return other
}

// guess follows the tangent from a tick to the edge of the whole number.
func (c *curve) guess(from int64) int64 {
	slope := 0.0
	for _, t := range c.terms {
		if worth := t.amount.worth(c.start.Add(time.Duration(from)*tick), t.halfLife); math.Abs(worth) <= t.cap {
			slope -= worth * math.Ln2 / float64(t.halfLife/tick)
		}
	}
	edge := float64(c.now) - 0.5 - tolerance
	if slope > 0 {
		edge++
	}
	if slope == 0 {
		return 0
	}
	ticks := (edge - c.sum(from)) / slope
	if ticks > math.MaxInt64/4 {
		return math.MaxInt64
	}
	return from + int64(ticks) + 1
}

// search finds the first change between two ticks; at the first of them there is none. A span over which the terms' extremes stay inside
// the whole number is passed over; the others are halved. When it has looked for too long, it gives the beginning of the first span that
// it could not pass over: earlier than the change, never later.
func (c *curve) search(from, to int64, steps *int) (int64, bool) {
	if c.stays(from, to) {
		return 0, false
	}
	*steps--
	if to-from == 1 || *steps <= 0 {
		if *steps <= 0 {
			return from + 1, true
		}
		return to, c.rounded(to) != c.now
	}
	middle := from + (to-from)/2
	if found, ok := c.search(from, middle, steps); ok {
		return found, true
	}
	if c.rounded(middle) != c.now {
		return middle, true
	}
	return c.search(middle, to, steps)
}

// stays tells whether the sum surely stays inside the whole number of the start.
func (c *curve) stays(from, to int64) bool {
	low, high := c.fixed, c.fixed
	for _, t := range c.terms {
		a, b := t.at(c, from), t.at(c, to)
		low, high = low+min(a, b), high+max(a, b)
	}
	return round(low) == c.now && round(high) == c.now
}

package sales

import (
	"math"
	"time"
)

// tick is the resolution of time: that of the database.
const tick = time.Microsecond

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

// free is what the term is worth without its cap.
func (t term) free(c *curve, ticks int64) float64 {
	return t.amount.worth(c.start.Add(time.Duration(ticks)*tick), t.halfLife)
}

func (c *curve) sum(ticks int64) float64 {
	sum := c.fixed
	for _, t := range c.terms {
		sum += t.within(t.free(c, ticks))
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
	return c.search(0, end)
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
		if worth := t.free(c, from); math.Abs(worth) <= t.cap {
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

// search finds the first change between two ticks of a sum of amounts that rise and fall against each other; at the first tick there is
// none. A span over which the sum surely stays inside the whole number is passed over, one over which it only falls or only rises is
// decided by its end, and the others are halved: those are the few around its turning points.
func (c *curve) search(from, to int64) (int64, bool) {
	low, high, falls, rises := c.bounds(from, to)
	switch {
	case round(low) == c.now && round(high) == c.now:
		return 0, false
	case to-from == 1 || !falls || !rises:
		if c.rounded(to) == c.now {
			return 0, false
		}
		return c.bisect(from, to), true
	}
	middle := from + (to-from)/2
	if found, ok := c.search(from, middle); ok {
		return found, true
	}
	if c.rounded(middle) != c.now {
		return middle, true
	}
	return c.search(middle, to)
}

// bounds tells between which values the sum stays from one tick to another, and whether it may fall and rise in between. Each term and the
// speed at which it fades lie between what they are at the two ends; a term above its cap stands still.
func (c *curve) bounds(from, to int64) (low, high float64, falls, rises bool) {
	low, high = c.fixed, c.fixed
	var least, most float64 // of the sum's slope
	for _, t := range c.terms {
		a, b := t.free(c, from), t.free(c, to)
		x, y := t.within(a), t.within(b)
		low, high = low+min(x, y), high+max(x, y)
		speed := math.Ln2 / float64(t.halfLife/tick)
		early, late := -a*speed, -b*speed
		if math.Abs(a) > t.cap {
			early = 0
		}
		if math.Abs(b) > t.cap {
			late = 0
		}
		if early == 0 && late != 0 { // it comes below its cap on the way, at its fastest there
			early = -math.Copysign(t.cap, a) * speed
			least, most = least+min(early, 0), most+max(early, 0)
			continue
		}
		least, most = least+min(early, late), most+max(early, late)
	}
	return low, high, least < 0, most > 0
}

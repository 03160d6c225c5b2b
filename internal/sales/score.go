package sales

import (
	"fmt"
	"math"
	"slices"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// ScoreState is what a contact's events and traits have added up to, as it is kept with the contact. What it is worth at a moment, the
// model tells: decay is worked out when the score is read. It is a fold over the contact's journal whose order does not matter.
type ScoreState struct {
	Model      int                `json:"model,omitempty"`      // the version of the model it was folded with
	Fit        int                `json:"fit,omitempty"`        // points for what the contact is
	Persona    string             `json:"persona,omitempty"`    // who it is, of the model's personas
	Engagement map[string]Decayed `json:"engagement,omitempty"` // by group, before the group's cap
	Points     int                `json:"points,omitempty"`     // given by journeys and people; they neither decay nor are they capped
	// Held is the stage from which a person took the contact back: the score leads there again only after it has been below.
	Held string `json:"held,omitempty"`
}

// Decayed is an amount that halves with time: Value at the moment At, which is that of the newest event in it.
type Decayed struct {
	Value float64   `json:"value"`
	At    time.Time `json:"at"`
}

// Rounding. Amounts are kept as they are; only the sum of all groups is rounded, to the nearest whole number, so that ten points are ten
// until they are worth less than nine and a half. What lies within tolerance of a half counts as the half: adding in another order, or in
// SQL, changes the last digits of a sum (some 1e-13 of it), and must not change a whole number.
const (
	tolerance = 1e-6
	maxWorth  = 1e9 // keeps every score inside an integer column
)

// noCap is the cap of a group without one.
var noCap = math.Inf(1) //nolint:gochecknoglobals // never changed

// Earn folds an event into the state. It tells whether the event earned or cost anything. That no event comes twice is the caller's
// business.
func (m *Model) Earn(s *ScoreState, e *audience.Event) (bool, error) {
	if m == nil {
		return false, nil
	}
	earned := false
	for _, rule := range m.byEvent[e.Name] {
		applies, err := rule.applies(e)
		if err != nil {
			return earned, err
		}
		if !applies {
			continue
		}
		g := m.groups[rule.group]
		if s.Engagement == nil {
			s.Engagement = map[string]Decayed{}
		}
		s.Engagement[g.key] = s.Engagement[g.key].plus(Decayed{rule.points, instant(e.OccurredAt)}, g.halfLife)
		earned = true
	}
	return earned, nil
}

func (r eventRule) applies(e *audience.Event) (bool, error) {
	if r.when == nil {
		return true, nil
	}
	standing, err := r.when.Stands(eventFacts{e})
	if err != nil {
		return false, fmt.Errorf("score rule %s: %w", r.id, err)
	}
	return standing.Holds, nil
}

// instant is a time as the database keeps it, so that folding an event as it comes and folding it from the journal are the same.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// plus adds two amounts at the later of their moments.
func (d Decayed) plus(other Decayed, halfLife time.Duration) Decayed {
	if d.At.IsZero() && d.Value == 0 {
		return other
	}
	at := d.At
	if other.At.After(at) {
		at = other.At
	}
	return Decayed{d.worth(at, halfLife) + other.worth(at, halfLife), at}
}

// worth is what is left of the amount. Before its moment nothing has gone yet.
func (d Decayed) worth(at time.Time, halfLife time.Duration) float64 {
	return d.Value * remaining(at.Sub(d.At), halfLife)
}

func remaining(age, halfLife time.Duration) float64 {
	if halfLife == 0 || age <= 0 {
		return 1
	}
	return math.Exp2(-float64(age) / float64(halfLife))
}

// Join adds what another contact has earned to a state: the two are one contact now. Both were folded with this model, else the sum is
// marked to be folded anew.
func (m *Model) Join(into *ScoreState, from ScoreState) {
	into.Points += from.Points
	if into.Model != m.Version() || from.Model != m.Version() {
		into.Model = 0
		return
	}
	if m == nil {
		return
	}
	for _, g := range m.groups {
		amount, ok := from.Engagement[g.key]
		if !ok {
			continue
		}
		if into.Engagement == nil {
			into.Engagement = map[string]Decayed{}
		}
		into.Engagement[g.key] = into.Engagement[g.key].plus(amount, g.halfLife)
	}
}

// Score is what a state is worth at a moment, and until when.
func (m *Model) Score(s ScoreState, at time.Time) audience.Score {
	score := m.Worth(s, at)
	score.ChangesAt = m.changesAt(s, at)
	return score
}

// Worth is Score without ChangesAt, for those who do not ask until when: it costs a tenth.
func (m *Model) Worth(s ScoreState, at time.Time) audience.Score {
	score := audience.Score{Fit: s.Fit, Engagement: round(m.engagement(s, at)) + s.Points}
	score.Engagement = min(max(score.Engagement, -maxWorth), maxWorth)
	score.Total = score.Fit + score.Engagement
	score.Label = m.label(score.Fit, score.Engagement)
	return score
}

// engagement is the worth of all groups, each within its cap, before rounding.
func (m *Model) engagement(s ScoreState, at time.Time) float64 {
	if m == nil || len(s.Engagement) == 0 {
		return 0
	}
	sum := 0.0
	for _, g := range m.groups {
		if amount, ok := s.Engagement[g.key]; ok {
			sum += g.within(amount.worth(at, g.halfLife))
		}
	}
	return sum
}

func (g group) within(worth float64) float64 { return min(max(worth, -g.cap), g.cap) }

func round(worth float64) int {
	return int(math.Floor(min(max(worth, -maxWorth), maxWorth) + 0.5 + tolerance))
}

func (m *Model) label(fit, engagement int) string {
	if m == nil || m.labels == nil {
		return ""
	}
	letter, number := "C", "3"
	switch l := m.labels.Fit; {
	case fit >= l.A:
		letter = "A"
	case fit >= l.B:
		letter = "B"
	}
	switch l := m.labels.Engagement; {
	case engagement >= l.One:
		number = "1"
	case engagement >= l.Two:
		number = "2"
	}
	return letter + number
}

// Reached is the furthest lifecycle stage whose threshold a score has reached, or "".
func (m *Model) Reached(score audience.Score) string {
	if m == nil {
		return ""
	}
	for _, t := range slices.Backward(m.stages) {
		if t.met(score) {
			return t.stage
		}
	}
	return ""
}

func (t Threshold) met(score audience.Score) bool {
	least := func(threshold *int, value int) bool { return threshold == nil || value >= *threshold }
	return least(t.Fit, score.Fit) && least(t.Engagement, score.Engagement) && least(t.Total, score.Total) &&
		(len(t.Labels) == 0 || slices.Contains(t.Labels, score.Label))
}

// Advance tells which stage a contact moves on to with a score, or "". A stage moves forward only by itself; one that a person took the
// contact back from is not reached again before the score has been below its threshold: before is the worth just before the change.
func (m *Model) Advance(s *ScoreState, before, after audience.Score, stage string) string {
	reached := m.Reached(after)
	if s.Held != "" && (Forward(m.Reached(before), s.Held) || Forward(reached, s.Held)) {
		s.Held = ""
	}
	if !Forward(stage, reached) || (s.Held != "" && !Forward(s.Held, reached)) {
		return ""
	}
	return reached
}

// RisesAt is when the score may reach a further stage by time alone, or a moment before that; zero: never. Only what has cost points and
// fades lets a score rise.
func (m *Model) RisesAt(s ScoreState, at time.Time) time.Time {
	if m == nil || len(m.stages) == 0 {
		return time.Time{}
	}
	for _, g := range m.groups {
		if g.halfLife > 0 && s.Engagement[g.key].Value < 0 {
			return m.changesAt(s, at)
		}
	}
	return time.Time{}
}

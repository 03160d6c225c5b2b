package journey

import (
	"maps"
	"slices"
	"time"
)

// Passage is a visit of a wait whose moment was past: the contact went through at once, and nobody had to perform or end anything there.
type Passage struct {
	Step  string
	Visit int
	Until time.Time
}

// Passed tells, of each step that can be passed so, the last visit that is behind an enrollment, in the order of the steps' ids. Those
// visits at which it has waited are among them: what is recorded of a visit stays as it is.
func (p *Plan) Passed(s State) []Passage {
	var all []Passage
	for _, id := range slices.Sorted(maps.Keys(s.Visits)) {
		step, visit := p.Steps[id], s.Visits[id]
		if step.Kind != KindWait || step.Until == nil {
			continue
		}
		if id == s.Step {
			visit-- // it stands there, or has ended there
		}
		if visit > 0 {
			all = append(all, Passage{Step: id, Visit: visit, Until: *step.Until})
		}
	}
	return all
}

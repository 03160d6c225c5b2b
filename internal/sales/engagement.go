package sales

import (
	"math"
	"time"
)

// EngagementGroup is how the amounts of a group fade and where they are capped, for those who work a score out elsewhere: in SQL.
type EngagementGroup struct {
	Key      string
	Cap      float64       // 0: none
	HalfLife time.Duration // 0: it does not fade
}

// EngagementGroups lists the model's groups.
func (m *Model) EngagementGroups() []EngagementGroup {
	if m == nil {
		return nil
	}
	groups := make([]EngagementGroup, len(m.groups))
	for i, g := range m.groups {
		groups[i] = EngagementGroup{Key: g.key, HalfLife: g.halfLife}
		if !math.IsInf(g.cap, 1) {
			groups[i].Cap = g.cap
		}
	}
	return groups
}

// Labels are the model's borders of the label, or nil.
func (m *Model) Labels() *Labels {
	if m == nil || m.labels == nil {
		return nil
	}
	labels := *m.labels
	return &labels
}

// The bounds of the whole number that a sum of fading amounts counts for, when the sum was added up in another order or by another
// machine's power function: half of what round tolerates lies between them and the truth.
const (
	RoundLow  = 0.5 + tolerance/2
	RoundHigh = 0.5 + tolerance*3/2
	MaxWorth  = maxWorth
)

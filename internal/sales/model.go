package sales

import (
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Model is a compiled scoring model: what marketing and sales have agreed on. The nil model knows points given by journeys and nothing else.
type Model struct {
	version int
}

// ScoreState is what a contact's events and traits have added up to, as it is kept with the contact. What it is worth at a moment, the
// model tells: decay is worked out when the score is read. It is a fold over the contact's journal whose order does not matter.
type ScoreState struct {
	Model      int                `json:"model,omitempty"`      // the version of the model it was folded with
	Fit        int                `json:"fit,omitempty"`        // points for what the contact is
	Engagement map[string]Decayed `json:"engagement,omitempty"` // by group, before the group's cap
	Points     int                `json:"points,omitempty"`     // given by journeys and people; they neither decay nor are they capped
}

// Decayed is an amount that halves with time: Value at the moment At.
type Decayed struct {
	Value float64   `json:"value"`
	At    time.Time `json:"at"`
}

// Version is the number of the published model; 0 of the nil model.
func (m *Model) Version() int {
	if m == nil {
		return 0
	}
	return m.version
}

// Listens tells whether an event of that name can earn points.
func (m *Model) Listens(string) bool { return false }

// Earn folds an event into the state. It tells whether the event earned or cost anything.
func (m *Model) Earn(*ScoreState, *audience.Event) (bool, error) { return false, nil }

// FitNames is what the fit rules look at: when nothing of it changed, Rate need not be asked again.
func (m *Model) FitNames() audience.Names { return audience.Names{} }

// Rate works out the fit anew from the contact's facts.
func (m *Model) Rate(*ScoreState, audience.Facts) error { return nil }

// Score is what a state is worth at a moment.
func (m *Model) Score(s ScoreState, _ time.Time) audience.Score {
	return audience.Score{Total: s.Fit + s.Points, Fit: s.Fit, Engagement: s.Points}
}

// Reached is the furthest lifecycle stage whose threshold a score has reached, or "".
func (m *Model) Reached(audience.Score) string { return "" }

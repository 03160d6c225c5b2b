package sales

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// The limits of a scoring model: far above what people agree on, and low enough that scoring an event stays a matter of microseconds.
const (
	MaxModelBytes = 256 << 10
	MaxPersonas   = 50
	MaxGroups     = 50
	MaxRules      = 500 // fit rules, and rules of all groups together
	MaxPoints     = 1000
	MaxThreshold  = 1_000_000
	MinHalfLife   = time.Hour
)

// Definition is a scoring model as people write it: what marketing and sales have agreed on, in one document.
type Definition struct {
	Name       string               `json:"name,omitempty"`
	Personas   []PersonaRule        `json:"personas,omitempty"` // the first that fits is the contact's persona
	Fit        Fit                  `json:"fit,omitzero"`
	Engagement Engagement           `json:"engagement,omitzero"`
	Labels     *Labels              `json:"labels,omitempty"` // nil: no labels
	Stages     map[string]Threshold `json:"stages,omitempty"` // by lifecycle stage
}

// PersonaRule says who is of a persona.
type PersonaRule struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"`
	When string `json:"when"`
}

// Fit is what somebody is: conditions over the contact, its company and its objects.
type Fit struct {
	Cap   int       `json:"cap,omitempty"` // the sum of all rules is held within ±cap; 0: not
	Rules []FitRule `json:"rules,omitempty"`
}

// FitRule gives or takes points while its condition holds.
type FitRule struct {
	ID     string `json:"id"`
	When   string `json:"when"`
	Points int    `json:"points"`
}

// Engagement is what somebody does.
type Engagement struct {
	Groups []Group `json:"groups,omitempty"`
}

// Group is a kind of behaviour that is capped, and fades, together.
type Group struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"`
	// Cap holds the worth of the group within ±cap; 0: no cap. It is applied when the score is read: what is above it fades first.
	Cap      int         `json:"cap,omitempty"`
	HalfLife string      `json:"half_life,omitempty"` // after this time points are worth half; empty: they never fade
	Rules    []EventRule `json:"rules"`
}

// EventRule gives or takes points for each event of a name that fulfils its condition, which looks at the event alone.
type EventRule struct {
	ID     string `json:"id"`
	Event  string `json:"event"`
	When   string `json:"when,omitempty"`
	Points int    `json:"points"`
}

// Labels are the thresholds of the matrix: A, B, C by fit and 1, 2, 3 by engagement.
type Labels struct {
	Fit        FitLabels        `json:"fit"`
	Engagement EngagementLabels `json:"engagement"`
}

// FitLabels are thresholds: A from here on, B from here on, C below.
type FitLabels struct {
	A int `json:"A"`
	B int `json:"B"`
}

// EngagementLabels are thresholds: 1 from here on, 2 from here on, 3 below.
type EngagementLabels struct {
	One int `json:"1"`
	Two int `json:"2"`
}

// Threshold is what it takes to reach a stage: all that is given has to be met.
type Threshold struct {
	Fit        *int     `json:"fit,omitempty"`
	Engagement *int     `json:"engagement,omitempty"`
	Total      *int     `json:"total,omitempty"`
	Labels     []string `json:"labels,omitempty"` // any of these
}

// ModelVersion is a published scoring model. It never changes; the newest one counts.
type ModelVersion struct {
	Number      int             `json:"version"`
	Hash        string          `json:"hash"`
	Document    json.RawMessage `json:"document"`
	PublishedAt time.Time       `json:"published_at"`
}

// Canonical writes the definition as it is stored, with its content hash: equal models have equal bytes, however they were written.
func (d *Definition) Canonical() (json.RawMessage, string, error) {
	document, err := json.Marshal(d)
	if err != nil {
		return nil, "", fmt.Errorf("write the scoring model: %w", err)
	}
	sum := sha256.Sum256(document)
	return document, hex.EncodeToString(sum[:16]), nil
}

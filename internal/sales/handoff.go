// Package sales holds what marketing and sales share: scores, lifecycle stages, handoffs and their outcomes. It is pure.
package sales

import "time"

// HandoffStatus is where a handoff stands.
type HandoffStatus string

// open → accepted → won | lost; open → rejected; open | accepted → expired | cancelled (by the journey).
const (
	HandoffOpen      HandoffStatus = "open"
	HandoffAccepted  HandoffStatus = "accepted"
	HandoffRejected  HandoffStatus = "rejected"
	HandoffWon       HandoffStatus = "won"
	HandoffLost      HandoffStatus = "lost"
	HandoffExpired   HandoffStatus = "expired"
	HandoffCancelled HandoffStatus = "cancelled"
)

// Handoff is the passing of a contact to a salesperson.
type Handoff struct {
	ID           string        `json:"id"`
	ContactID    string        `json:"contact_id"`
	EnrollmentID string        `json:"enrollment_id"`
	Journey      string        `json:"journey"`
	StepID       string        `json:"step_id"`
	Visit        int           `json:"visit"`
	Status       HandoffStatus `json:"status"`
	Why          string        `json:"why"` // the journey's sentence for the rep
	Score        int           `json:"score"`
	Stage        string        `json:"stage"`
	Owner        string        `json:"owner,omitempty"`
	Reason       string        `json:"reason,omitempty"` // of a rejection or a loss
	Amount       float64       `json:"amount,omitempty"` // of a win, in the currency of the deal
	DueAt        *time.Time    `json:"due_at,omitempty"`
	CreatedAt    time.Time     `json:"created_at"`
	UpdatedAt    time.Time     `json:"updated_at"`
}

// ScoreChange is one origin of a contact's points.
type ScoreChange struct {
	ContactID    string    `json:"contact_id"`
	Points       int       `json:"points"`
	Reason       string    `json:"reason"`
	EnrollmentID string    `json:"enrollment_id,omitempty"`
	StepID       string    `json:"step_id,omitempty"`
	ScoreAfter   int       `json:"score_after"`
	At           time.Time `json:"at"`
}

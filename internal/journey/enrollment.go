package journey

import "time"

// EnrollmentState is where an enrollment stands in its life.
type EnrollmentState string

// The states. Active: a step is being performed. Waiting: parked at a wait, wait_for or handoff. The rest are final.
const (
	Active    EnrollmentState = "active"
	Waiting   EnrollmentState = "waiting"
	Completed EnrollmentState = "completed"
	Exited    EnrollmentState = "exited"
	Failed    EnrollmentState = "failed"
	Cancelled EnrollmentState = "cancelled"
)

// Final tells whether an enrollment in this state is over.
func (s EnrollmentState) Final() bool {
	return s == Completed || s == Exited || s == Failed || s == Cancelled
}

// Enrollment is one contact in one version of a journey.
type Enrollment struct {
	ID        string          `json:"id"`
	ContactID string          `json:"contact_id"`
	Journey   string          `json:"journey"`
	Version   int             `json:"version"`
	Hash      string          `json:"hash"` // of the version
	State     EnrollmentState `json:"state"`
	Step      string          `json:"step,omitempty"`   // the step it stands at
	Reason    string          `json:"reason,omitempty"` // why it ended
	// TriggerEventID is the event that enrolled the contact; empty when the API did. An event enrolls once per journey.
	TriggerEventID string     `json:"trigger_event_id,omitempty"`
	EnteredSeq     int64      `json:"entered_seq"` // events after this sequence number count for its waits
	EnteredAt      time.Time  `json:"entered_at"`
	WakeAt         *time.Time `json:"wake_at,omitempty"`
	EndedAt        *time.Time `json:"ended_at,omitempty"`
}

// Decision is one entry of the journal: what was decided for a contact, and why. Unique by (enrollment, step, visit, kind).
type Decision struct {
	EnrollmentID string         `json:"enrollment_id,omitempty"`
	ContactID    string         `json:"contact_id"`
	Journey      string         `json:"journey,omitempty"`
	StepID       string         `json:"step_id,omitempty"`
	Visit        int            `json:"visit"`
	Kind         string         `json:"kind"`    // the step kind, or entered, not_entered, goal, exit, completed, failed
	Outcome      string         `json:"outcome"` // the port taken, or what was done
	Reason       string         `json:"reason,omitempty"`
	Detail       map[string]any `json:"detail,omitempty"` // the values that decided; stays in Postgres
	At           time.Time      `json:"at"`
}

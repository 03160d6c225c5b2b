package activities

import (
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

// StepRef names one visit of one step: the idempotency key of its effect, and where to find its definition.
type StepRef struct {
	ContactID    string `json:"contact_id"`
	EnrollmentID string `json:"enrollment_id"`
	Journey      string `json:"journey"`
	Version      int    `json:"version"`
	Hash         string `json:"hash"` // of the version's document
	Step         string `json:"step"`
	Visit        int    `json:"visit"`
}

// Hosted is one enrollment as the workflow has it.
type Hosted struct {
	EnrollmentID string        `json:"enrollment_id"`
	Journey      string        `json:"journey"`
	Version      int           `json:"version"`
	Hash         string        `json:"hash"`
	State        journey.State `json:"state"`
	// TriggerEventID is the event that enrolled the contact; mails and conditions may use its properties.
	TriggerEventID string `json:"trigger_event_id,omitempty"`
}

// ReadInboxInput is what the workflow tells the inbox: all that it hosts.
type ReadInboxInput struct {
	ContactID string   `json:"contact_id"`
	Hosted    []Hosted `json:"hosted,omitempty"`
}

// ReadInboxResult is what the inbox tells the workflow: new enrollments to host, pauses that ended, and how far each
// pause has looked.
type ReadInboxResult struct {
	Adopted  []Adopted        `json:"adopted,omitempty"`
	Resolved []Resolved       `json:"resolved,omitempty"`
	Scanned  map[string]int64 `json:"scanned,omitempty"` // enrollment → last event that was looked at in vain
	Dropped  []string         `json:"dropped,omitempty"` // enrollments that were ended in Postgres, by a cancellation
	// Merged: the contact is another one now, whose journey hosts the enrollments. Gone: it was erased. Both end the workflow.
	Merged bool `json:"merged,omitempty"`
	Gone   bool `json:"gone,omitempty"`
	// Withdrawn are handoffs that ended with an enrollment that was dropped: sales has to be told.
	Withdrawn []string `json:"withdrawn,omitempty"`
	// Paused are the hosted or adopted journeys in which nobody moves now. A resume pokes.
	Paused []string `json:"paused,omitempty"`
}

// Adopted is an enrollment that the workflow does not host yet.
type Adopted struct {
	EnrollmentID   string        `json:"enrollment_id"`
	Journey        string        `json:"journey"`
	Version        int           `json:"version"`
	Hash           string        `json:"hash"`
	EnteredSeq     int64         `json:"entered_seq"`
	TriggerEventID string        `json:"trigger_event_id,omitempty"`
	Plan           *journey.Plan `json:"plan,omitempty"` // only when no hosted enrollment has that version
	// State is where it stands, when another workflow has hosted it before; nil: it begins.
	State *journey.State `json:"state,omitempty"`
}

// Resolved is a pause that ended.
type Resolved struct {
	EnrollmentID string          `json:"enrollment_id"`
	Outcome      journey.Outcome `json:"outcome"`
}

// EffectInput asks for the effect of a step.
type EffectInput struct {
	Ref            StepRef `json:"ref"`
	TriggerEventID string  `json:"trigger_event_id,omitempty"`
	Seq            int64   `json:"seq"` // the last event that moved the enrollment: later goal and exit events stop a send
}

// EffectResult is what became of an effect.
type EffectResult struct {
	Outcome journey.Outcome `json:"outcome"`
	// Pending: the transport goes on by itself; AwaitDelivery tells how it ended.
	Pending bool `json:"pending,omitempty"`
	// Held: nothing was done, because the journey is paused. The step is performed again when it goes on.
	Held      bool        `json:"held,omitempty"`
	MessageID string      `json:"message_id,omitempty"`
	State     email.State `json:"state,omitempty"`
	Reason    string      `json:"reason,omitempty"`
}

// HandOffResult is what the workflow needs to start the handoff's child workflow. No personal data.
type HandOffResult struct {
	Handoff HandoffCard `json:"handoff"`
	Done    bool        `json:"done,omitempty"` // its outcome is already recorded
	Held    bool        `json:"held,omitempty"` // nothing was done: the journey is paused
}

// HandoffCard is what a rep sees in the Temporal UI: reasons and numbers, no personal data; the link leads to the person.
type HandoffCard struct {
	ID           string              `json:"id"`
	ContactID    string              `json:"contact_id"`
	Journey      string              `json:"journey"`
	StepID       string              `json:"step_id"`
	EnrollmentID string              `json:"enrollment_id"`
	Why          string              `json:"why"`
	Score        int                 `json:"score"`
	Stage        string              `json:"stage"`
	Status       sales.HandoffStatus `json:"status"`
	Link         string              `json:"link"`
	ScoreReasons []ScoreReason       `json:"score_reasons,omitempty"`
	Recent       []RecentEvent       `json:"recent,omitempty"`
	CreatedAt    time.Time           `json:"created_at"`
	DueAt        *time.Time          `json:"due_at,omitempty"`
}

// ScoreReason is one origin of a contact's points.
type ScoreReason struct {
	Reason string    `json:"reason"`
	Points int       `json:"points"`
	At     time.Time `json:"at"`
}

// RecentEvent is something the contact did, by name alone.
type RecentEvent struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

// HandoffUpdated names the contact whose handoff it is now: another one than before when two were merged.
type HandoffUpdated struct {
	ContactID string `json:"contact_id"`
}

// HandoffUpdate is a rep's action on a handoff.
type HandoffUpdate struct {
	HandoffID string              `json:"handoff_id"`
	ContactID string              `json:"contact_id"`
	Status    sales.HandoffStatus `json:"status"`
	Owner     string              `json:"owner,omitempty"`
	Reason    string              `json:"reason,omitempty"`
	Amount    float64             `json:"amount,omitempty"`
}

// BroadcastRef names a broadcast.
type BroadcastRef struct {
	BroadcastID string `json:"broadcast_id"`
}

// BroadcastAct is what somebody does to a broadcast: pause, resume or cancel.
type BroadcastAct struct {
	BroadcastID string `json:"broadcast_id"`
	Action      string `json:"action"`
	By          string `json:"by"`
}

// What a workflow has to do next for a broadcast.
const (
	BroadcastWait     = string(email.DoWait)
	BroadcastGather   = string(email.DoGather)
	BroadcastSend     = string(email.DoSend)
	BroadcastTested   = string(email.DoTested)
	BroadcastDecide   = string(email.DoDecide)
	BroadcastComplete = string(email.DoComplete)
	BroadcastClose    = string(email.DoClose)
	BroadcastNothing  = string(email.DoNothing)
)

// BroadcastStep is what was done for a broadcast, and what is next.
type BroadcastStep struct {
	Do      string     `json:"do"` // wait, gather, send, tested, decide, complete, close, nothing
	At      *time.Time `json:"at,omitempty"`
	State   string     `json:"state"`
	Verdict string     `json:"verdict,omitempty"` // of a test, in words
	Rate    int        `json:"rate,omitempty"`    // mails a minute at most
	// Numbers of this step.
	Gathered int64 `json:"gathered,omitempty"`
	Sent     int64 `json:"sent,omitempty"`    // handed to the mail server
	Settled  int64 `json:"settled,omitempty"` // came to their end
	Unsent   int64 `json:"unsent,omitempty"`  // closed without a mail
}

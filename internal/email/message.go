package email

import (
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Class says what rules a message is under.
type Class string

// Marketing is never resent by itself; transactional is resent once, with the same bytes, when its fate is unknown.
const (
	Marketing     Class = "marketing"
	Transactional Class = "transactional"
)

// State is where a message stands. The ledger row is unique by (enrollment, step, visit).
type State string

// The states. Sending: a transport holds it under a lease. Unknown: cut off after the final dot, so it may have arrived.
const (
	Queued   State = "queued"   // claimed, not handed to a transport yet
	Sending  State = "sending"  // handed to a transport, under a lease
	Sent     State = "sent"     // accepted by the SMTP server
	Deferred State = "deferred" // refused for now; will be tried again
	Rejected State = "rejected" // refused for good
	Unknown  State = "unknown"  // cut off after the final dot
	Skipped  State = "skipped"  // decided not to send; Reason says why
	Failed   State = "failed"   // given up after the last attempt, or it could not be rendered
)

// Final tells whether nothing more will happen to a message by itself.
func (s State) Final() bool {
	return s == Sent || s == Rejected || s == Unknown || s == Skipped || s == Failed
}

// The closed list of reasons why a message was not sent.
const (
	ReasonSuppressed     = "suppressed"             // the address is on the suppression list
	ReasonNoConsent      = audience.ReasonNoConsent // the contact never asked for the topic, or has not confirmed it
	ReasonUnsubscribed   = "unsubscribed"           // the contact withdrew consent for marketing mail
	ReasonNoAddress      = "no_address"             // the contact has no e-mail address
	ReasonInvalidAddress = "invalid_address"        // what it has is no address
	ReasonUndeliverable  = "undeliverable_address"  // its domain takes no mail
	ReasonDisposable     = "disposable_address"     // the sending policy spares such addresses
	ReasonRole           = "role_address"           // the same
	ReasonGoalReached    = "goal_reached"           // the goal was reached just before the send
	ReasonExited         = "exited"                 // an exit event came just before the send
	ReasonHoldout        = "holdout"                // it is withheld from a part of the contacts, to compare with
	ReasonRenderFailed   = "render_failed"          // the template could not be rendered for this contact
	ReasonGaveUp         = "gave_up"                // deferred for too long
	ReasonHardBounce     = "rejected"               // the server refused it for good
	ReasonFateUnknown    = "fate_unknown"           // the connection was cut after the final dot
	ReasonSlowed         = "slowed"                 // deferred: the provider asked for less
	ReasonPaced          = "paced"                  // it waits: so much goes to its provider already
	ReasonCancelled      = "broadcast_cancelled"    // its broadcast was cancelled before it was sent
	ReasonDoubled        = "doubled"                // the contact was merged with another one, which the broadcast has reached
)

// Rendered is a template filled for one contact.
type Rendered struct {
	Subject string
	HTML    string
	Text    string
	Locale  string // of the template, that was taken; empty: it does not say
}

// Message is one mail for one contact: the ledger row.
type Message struct {
	ID              string       `json:"id"` // UUID made from (enrollment, step, visit): the idempotency key of the send
	ContactID       string       `json:"contact_id"`
	EnrollmentID    string       `json:"enrollment_id,omitempty"`
	Journey         string       `json:"journey,omitempty"`
	Version         int          `json:"version,omitempty"`
	StepID          string       `json:"step_id,omitempty"`
	Visit           int          `json:"visit"`
	Template        string       `json:"template"`
	TemplateVersion int          `json:"template_version"`
	Locale          string       `json:"locale,omitempty" doc:"Which language of the template it is in; absent: the template does not say."`
	Class           Class        `json:"class"`
	Topic           string       `json:"topic,omitempty"` // empty: marketing as a whole
	State           State        `json:"state"`
	Reason          string       `json:"reason,omitempty"`
	ToAddress       string       `json:"to"`
	Subject         string       `json:"subject"`
	HTML            string       `json:"html,omitempty"`
	Text            string       `json:"text,omitempty"`
	Raw             []byte       `json:"-"`          // the very bytes that every attempt sends
	MessageID       string       `json:"message_id"` // the header, with angle brackets left off
	Attempt         int          `json:"attempt"`
	Fence           int64        `json:"-"` // grows with each claim; a late writer loses
	LeaseUntil      *time.Time   `json:"-"`
	SMTPCode        int          `json:"smtp_code,omitempty"`
	EnhancedCode    string       `json:"enhanced_code,omitempty"`
	SMTPReply       string       `json:"smtp_reply,omitempty"` // may hold an address: never leaves Postgres and the API
	CreatedAt       time.Time    `json:"created_at"`
	UpdatedAt       time.Time    `json:"updated_at"`
	SentAt          *time.Time   `json:"sent_at,omitempty"`
	Tracked         bool         `json:"-"` // its links are to lead by way of us; Links are where they lead
	Links           []string     `json:"-"`
	Delivery        *Reported    `json:"delivery,omitempty"` // what was reported of it since; absent: nothing
	Waits           *Wait        `json:"waits,omitempty" doc:"While it waits for its turn, in the detail alone."`
	Broadcast       *InBroadcast `json:"broadcast,omitempty" doc:"Whose mail it is; absent: of none."`
	Engagement
}

// SendQuestions are what a send asks of its contact, to be asked all at once.
type SendQuestions struct {
	MessageID, EnrollmentID, Topic string
	Marketing, Tracked             bool
	Priority                       int
	Since                          *time.Time // mails since then are counted; nil: none
}

// Wait is that a mail waits for its turn, because so much goes to its provider already.
type Wait struct {
	Provider string    `json:"provider" doc:"Who takes in the recipient's mail."`
	Until    time.Time `json:"until" doc:"When it is looked at again."`
}

// Engagement is what became of a mail after it was sent. People and machines are counted apart.
type Engagement struct {
	OpenedAt      *time.Time `json:"opened_at,omitempty" doc:"When a person first loaded its pictures; many never do."`
	ClickedAt     *time.Time `json:"clicked_at,omitempty" doc:"When a person first followed a link."`
	MachineOpens  int        `json:"machine_opens,omitempty" doc:"By scanners, and by services that load pictures ahead."`
	MachineClicks int        `json:"machine_clicks,omitempty" doc:"By scanners and tools."`
}

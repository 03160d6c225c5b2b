package email

import "time"

// RecipientPart says what a recipient is for.
type RecipientPart string

// The parts. The rest waits for the winner of the test; from a holdout the mail is withheld once everything else is decided.
const (
	PartAll     RecipientPart = "all"
	PartTest    RecipientPart = "test"
	PartRest    RecipientPart = "rest"
	PartHoldout RecipientPart = "holdout"
)

// RecipientState is where a recipient stands.
type RecipientState string

// The states before there is a mail; from then on it is the mail's: sending, sent, rejected, unknown, skipped, failed.
const (
	RecipientPending RecipientState = "pending"
	RecipientHeld    RecipientState = "held"
	RecipientSending RecipientState = "sending"
	RecipientSkipped RecipientState = "skipped"
	RecipientFailed  RecipientState = "failed"
)

// BroadcastRecipient is a member of the segment as the broadcast treats it. The id is that of its mail.
type BroadcastRecipient struct {
	MessageID   string         `json:"message_id"`
	BroadcastID string         `json:"-"`
	ContactID   string         `json:"contact_id"`
	Email       string         `json:"email,omitempty"`
	UserID      string         `json:"user_id,omitempty"`
	Part        RecipientPart  `json:"part" enum:"all,test,rest,holdout"`
	Variant     *int           `json:"variant,omitempty" doc:"The number of the variant, from 0; absent while the rest waits for the winner."`
	State       RecipientState `json:"state" enum:"pending,held,sending,sent,rejected,unknown,skipped,failed"`
	Reason      string         `json:"reason,omitempty" doc:"Why it got nothing, or waits: a code of /v1/reasons."`
	DueAt       time.Time      `json:"due_at" doc:"When somebody looks at it next."`
	BeginsAt    time.Time      `json:"-"`
	DecidedAt   *time.Time     `json:"decided_at,omitempty"`
}

// LockedRecipient is a recipient under its contact's lock, with what it needs to know of the broadcast at that moment.
type LockedRecipient struct {
	BroadcastRecipient
	Broadcast BroadcastState
	Winner    *int
	Doubled   bool // another recipient stands for the same contact and goes first
}

// InBroadcast says which broadcast a mail is of.
type InBroadcast struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Variant string `json:"variant,omitempty"`
}

// RecipientCount is how many recipients stand somewhere.
type RecipientCount struct {
	State  RecipientState `json:"state"`
	Reason string         `json:"reason,omitempty"`
	Total  int64          `json:"total"`
}

// VariantTally is what a variant has brought in one part of the contacts.
type VariantTally struct {
	Part                        RecipientPart
	Variant                     int // -1: a holdout
	Entered, Clicked, Converted int64
}

// MemberCount is how many members of a segment would get a mail, or why not.
type MemberCount struct {
	Reason   string // empty: they would
	Timezone string // empty: not known
	Total    int64
}

// BroadcastMember is a member of the segment when the audience is gathered.
type BroadcastMember struct {
	ContactID, Timezone string
}

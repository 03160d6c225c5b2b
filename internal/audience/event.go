package audience

import "time"

// EventType is the kind of a call that brought an event in.
type EventType string

// The types of the tracking API that are kept, and signals sent by a back end with a Bearer key.
const (
	TypeTrack    EventType = "track"
	TypeIdentify EventType = "identify"
	TypeSignal   EventType = "signal"
)

// Event is something a contact did: immutable, deduplicated by its message id, numbered per contact.
type Event struct {
	ID         string         `json:"id"`         // UUID
	MessageID  string         `json:"message_id"` // the sender's idempotency key
	ContactID  string         `json:"contact_id"`
	Seq        int64          `json:"seq"` // 1, 2, 3… per contact, in the order of commit
	Type       EventType      `json:"type"`
	Name       string         `json:"name"` // empty for identify
	Properties map[string]any `json:"properties"`
	OccurredAt time.Time      `json:"occurred_at"` // when it happened, corrected for the sender's clock
	ReceivedAt time.Time      `json:"received_at"` // when it was committed: the time that waits are measured by
}

// Incoming is an event on its way in: not yet deduplicated, numbered or tied to a contact.
// At least one of UserID, AnonymousID, Email or ContactID says whose it is.
type Incoming struct {
	Source      string // the key that brought it in; message ids are unique within a source
	MessageID   string
	Type        EventType
	Name        string
	ContactID   string // set when the caller named the contact itself
	UserID      string
	AnonymousID string
	Email       string
	Traits      map[string]any // merged into the contact's traits; nil values remove
	Properties  map[string]any
	Timezone    string
	Locale      string
	OccurredAt  time.Time
}

// Accepted is what became of an incoming event.
type Accepted struct {
	ContactID string
	EventID   string
	Seq       int64
	Duplicate bool // its message id had been accepted before; nothing was done again
	Poke      bool // the contact's journey waits for it and has to be woken
}

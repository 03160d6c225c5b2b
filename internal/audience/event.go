package audience

import (
	"strings"
	"time"
)

// EventType is the kind of a call that brought an event in.
type EventType string

// The types of the tracking API, signals sent by a back end with a Bearer key, and what Throughline itself notes about a contact
// (entering a segment, reaching a stage), so that journeys can wait for it as for any event.
const (
	TypeTrack    EventType = "track"
	TypeIdentify EventType = "identify"
	TypePage     EventType = "page"
	TypeScreen   EventType = "screen"
	TypeGroup    EventType = "group"
	TypeAlias    EventType = "alias"
	TypeSignal   EventType = "signal"
	TypeSystem   EventType = "system"
)

// Named tells whether events of this type have a name. The others say who somebody is, and nothing about what was done.
func (t EventType) Named() bool {
	return t != TypeIdentify && t != TypeGroup && t != TypeAlias
}

// The names of page and screen calls; the page's own name is a property.
const (
	PageViewed   = "Page Viewed"
	ScreenViewed = "Screen Viewed"
)

// The names of system events: the prefix, and the segment's key or the stage. Nobody else may send them.
const (
	SegmentEnteredPrefix = "Segment Entered: "
	SegmentLeftPrefix    = "Segment Left: "
	StageEnteredPrefix   = "Stage Entered: "
)

// Reserved tells whether a name is one of Throughline's own.
func Reserved(name string) bool {
	for _, prefix := range []string{SegmentEnteredPrefix, SegmentLeftPrefix, StageEnteredPrefix} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Event is something a contact did: immutable, deduplicated by its message id, numbered per contact.
type Event struct {
	ID         string         `json:"id"`         // UUID
	MessageID  string         `json:"message_id"` // the sender's idempotency key
	ContactID  string         `json:"contact_id"`
	Seq        int64          `json:"seq"` // 1, 2, 3… per contact, in the order of commit
	Type       EventType      `json:"type"`
	Name       string         `json:"name"`              // empty for identify, group and alias
	Properties map[string]any `json:"properties"`        // of identify: the traits; of group: the company's; null removes
	Context    map[string]any `json:"context,omitempty"` // where it came from: page, campaign, device…
	OccurredAt time.Time      `json:"occurred_at"`       // when it happened, corrected for the sender's clock
	ReceivedAt time.Time      `json:"received_at"`       // when it was committed: the time that waits are measured by
}

// Incoming is an event on its way in: not yet deduplicated, numbered or tied to a contact. Identify and alias may merge two contacts.
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
	Context     map[string]any
	GroupID     string         // of group: the company, in the sender's words
	GroupTraits map[string]any // of group: merged into the company's traits
	PreviousID  string         // of alias: the identity (user id, else anonymous id) that becomes UserID
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
	Blocked   bool // its name is blocked in the catalogue: nothing of it was stored, and the rest is empty
}

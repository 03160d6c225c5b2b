package audience

import "time"

// Consent is what a contact has permitted or withdrawn for a topic. A topic without one is permitted.
type Consent struct {
	Topic   string    `json:"topic" doc:"marketing is what marketing mail needs."`
	Granted bool      `json:"granted"`
	Source  string    `json:"source" doc:"Who said so: one_click is the link in a mail."`
	At      time.Time `json:"at"`
	Pending bool      `json:"pending,omitempty" doc:"Asked for, and not confirmed yet by the link in a mail."`
}

// Suppression keeps an address from being written to at all.
type Suppression struct {
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// SuppressedAddress is one of the list of addresses that are never written to.
type SuppressedAddress struct {
	Suppression
	Address string `json:"address"`
	AddedBy string `json:"added_by,omitempty" doc:"The name of the API key that added it. Absent: a report of a mail server did."`
}

// The reasons of suppressions that people add. Those that mail servers report have theirs.
const (
	SuppressManual   = "manual"   // somebody added it
	SuppressImported = "imported" // it was on the list of the mail tool used before
)

// Consents is everything that may keep mail from a contact.
type Consents struct {
	Consents   []Consent    `json:"consents" nullable:"false" doc:"By topic. A topic that is not here is permitted."`
	Suppressed *Suppression `json:"suppressed,omitempty" doc:"Absent when the contact's address may be written to, and when it has none."`
}

// ContactFilter narrows a list of contacts; the zero value lists all.
type ContactFilter struct {
	Beginning string // of an e-mail address, a user id or a name
	Segment   string
	Stage     string
}

// Package audience holds whom we talk to and what they did: contacts, events, and the conditions over them.
//
// It is pure: no I/O, no clock (time comes in as an argument). It imports fault and the CEL library only.
package audience

import "time"

// Contact is a person we may write to.
type Contact struct {
	ID        string         `json:"id"` // UUID; the only identifier that leaves Postgres for Temporal
	UserID    string         `json:"user_id,omitempty"`
	Email     string         `json:"email,omitempty"`
	Traits    map[string]any `json:"traits"`
	Timezone  string         `json:"timezone,omitempty"` // IANA name, as told by the contact's device or traits
	Locale    string         `json:"locale,omitempty"`
	Stage     string         `json:"stage"` // lifecycle stage
	Score     int            `json:"score"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`

	EmailVerdict    string     `json:"email_verdict,omitempty" enum:"deliverable,risky,undeliverable,unknown" doc:"What is known of the address without writing to it."`
	EmailReasons    []string   `json:"email_reasons,omitempty" doc:"Why: syntax, no_mx, null_mx, disposable, role, typo."`
	EmailSuggestion string     `json:"email_suggestion,omitempty" doc:"The address that was probably meant."`
	EmailCheckAt    *time.Time `json:"-"` // when its domain is looked up next; nil: never
}

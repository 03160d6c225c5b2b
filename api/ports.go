package api

import (
	"context"
	"encoding/json"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

// APIKey is a key that the store knows, or a person who is logged in without one.
type APIKey struct {
	ID     string
	Name   string
	Scopes []string
}

// Keys keeps API keys, by their hashes. To find an unknown or revoked key is a fault of kind Unauthorized. The list is the newest first.
type Keys interface {
	FindKey(ctx context.Context, key string) (APIKey, error)
	ListKeys(ctx context.Context, cursor string, limit int) (Page[KeyRecord], error)
	CreateKey(ctx context.Context, name, key string, scopes []string, now time.Time) (KeyRecord, error)
	// RevokeKey ends the sessions of the key as well. The last valid key that may do everything stays: that is a Conflict.
	RevokeKey(ctx context.Context, id string, now time.Time) (bool, error)
	// TouchKey notes that a key was used, at most once a minute.
	TouchKey(ctx context.Context, id string, now time.Time) error
}

// Events takes events in: one transaction for all of them.
type Events interface {
	Ingest(ctx context.Context, now time.Time, events []audience.Incoming) ([]audience.Accepted, error)
}

// Poker wakes a contact's journey. It is called after the commit, never in the way of an answer; what it fails to wake
// is swept later.
type Poker interface {
	Poke(ctx context.Context, contactID string) error
}

// Page is one page of a list. Next is the keyset value to go on after, empty on the last page.
type Page[T any] struct {
	Items []T
	Next  string
}

// JourneySummary is one line of the list of journeys.
type JourneySummary struct {
	Key      string `json:"key"`
	Revision int64  `json:"revision" doc:"Of the draft."`
	// LiveVersion is absent while nothing is published.
	LiveVersion int `json:"live_version,omitempty" doc:"The version that contacts enter; absent while nothing is published."`
	// PausedAt is absent while the journey runs.
	PausedAt  *time.Time `json:"paused_at,omitempty" doc:"Since when the journey is paused; absent while it runs."`
	Errors    int        `json:"errors" doc:"How many problems keep the draft from being published."`
	UpdatedAt time.Time  `json:"updated_at"`
}

// Journeys keeps drafts and versions. Lists begin with the empty cursor and go on with the Next of the page before; that
// of versions is the newest first, with numbers as cursors.
type Journeys interface {
	// SaveDraft saves document, source and problems of a draft.
	SaveDraft(ctx context.Context, draft journey.Draft, expectedRevision *int64, now time.Time) (journey.Draft, error)
	FindDraft(ctx context.Context, key string) (journey.Draft, error)
	PublishVersion(ctx context.Context, key string, document json.RawMessage, hash string, triggers []string, expectedRevision *int64, now time.Time) (journey.Version, error)
	ListJourneys(ctx context.Context, cursor string, limit int) (Page[journey.Draft], error)
	ListVersions(ctx context.Context, key, cursor string, limit int) (Page[journey.Version], error)
	FindVersion(ctx context.Context, key string, number int) (journey.Version, error)
	// PauseJourney stops a journey where it stands; ResumeJourney lets it go on and sees to it that all who stand in it are woken.
	// by names who did it.
	PauseJourney(ctx context.Context, key, by string, now time.Time) (journey.Draft, error)
	ResumeJourney(ctx context.Context, key, by string, now time.Time) (journey.Draft, error)
	// Enroll puts a contact into the live version, once per idempotency key. allowed says whether the contact may enter,
	// and if not, with which code it is refused.
	Enroll(ctx context.Context, contactID, key, idempotencyKey string, now time.Time,
		allowed func(version journey.Version, last *journey.Enrollment) (bool, string)) (journey.Enrollment, bool, error)
}

// Templates keeps mail templates.
type Templates interface {
	SaveTemplate(ctx context.Context, t email.Template, hash string, expected *int, now time.Time) (email.TemplateVersion, error)
	FindTemplate(ctx context.Context, key string) (email.TemplateVersion, error)
	TemplateExists(ctx context.Context, key string) (bool, error)
	ListTemplates(ctx context.Context, cursor string, limit int) (Page[email.TemplateVersion], error)
}

// TimelineEntry is one thing that happened to a contact or was decided for it. Exactly the field of its kind is set.
type TimelineEntry struct {
	ID       int64                `json:"id" doc:"Grows with time."`
	At       time.Time            `json:"at"`
	Kind     string               `json:"kind" enum:"event,decision,message,handoff,score,pause,delivery"`
	Event    *audience.Event      `json:"event,omitempty"`
	Decision *journey.Decision    `json:"decision,omitempty"`
	Message  *email.Message       `json:"message,omitempty" doc:"Without html and text."`
	Handoff  *sales.Handoff       `json:"handoff,omitempty"`
	Score    *sales.ScoreChange   `json:"score,omitempty"`
	Pause    *journey.Pause       `json:"pause,omitempty" doc:"A journey stood still while the contact was in it."`
	Delivery *email.DeliveryEntry `json:"delivery,omitempty" doc:"What was reported of a message."`
	Words    string               `json:"words,omitempty" doc:"What a decision, a message, a delivery or a pause means, as a sentence."`
}

// Contacts finds people and what happened to them. kind is user_id or email.
type Contacts interface {
	FindContact(ctx context.Context, id string) (audience.Contact, error)
	FindContactBy(ctx context.Context, kind, value string) (audience.Contact, error)
	// Timeline goes from the oldest to the newest, from after an entry (0: from the beginning); next is 0 on the last page.
	Timeline(ctx context.Context, contactID string, after int64, limit int) (entries []TimelineEntry, next int64, err error)
}

// Messages reads the ledger of mail; lists are newest first, with numbers as cursors, and come without html and text.
type Messages interface {
	ListMessages(ctx context.Context, filter email.MessageFilter, cursor string, limit int) (Page[email.Message], error)
	FindMessage(ctx context.Context, id string) (email.Message, error)
}

// Handoffs reads what was passed to sales; newest first, with numbers as cursors. An empty status lists all.
type Handoffs interface {
	ListHandoffs(ctx context.Context, status sales.HandoffStatus, cursor string, limit int) (Page[sales.Handoff], error)
	FindHandoff(ctx context.Context, id string) (sales.Handoff, error)
}

// The actions of a rep.
const (
	ActionAccept = "accept" // value: the owner, a string
	ActionReject = "reject" // value: the reason, a string
	ActionWon    = "won"    // value: the amount, a float64
	ActionLost   = "lost"   // value: the reason, a string
)

// Desk carries a rep's decision to the handoff. What the handoff refuses comes back as a fault with a sentence for the rep.
type Desk interface {
	Decide(ctx context.Context, handoffID, action string, value any) (sales.Handoff, error)
}

// Unsubscriber takes a contact off marketing mail. A token that is not ours is a fault of kind NotFound, from both. That of a mail which
// somebody has sent to look at it is a test: it names nobody.
type Unsubscriber interface {
	Unsubscribe(ctx context.Context, token string) (test bool, err error)
}

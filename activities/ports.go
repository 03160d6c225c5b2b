package activities

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/integration"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

// Contacts opens a transaction that holds one contact's row lock: whatever is decided for a contact is decided there,
// one at a time.
type Contacts interface {
	InContact(ctx context.Context, contactID string, fn func(ctx context.Context, tx ContactTx) error) error
}

// ContactTx is what can be read and written under a contact's row lock.
type ContactTx interface {
	Contact() audience.Contact
	LastSeq() int64
	// Paused tells whether nobody moves in a journey now; it holds until the transaction ends.
	Paused(journeyKey string) bool
	Facts(ctx context.Context, event *audience.Event, now time.Time) audience.Facts
	EventByID(ctx context.Context, id string) (audience.Event, error)
	EventsAfter(ctx context.Context, seq int64, names []string, limit int) ([]audience.Event, error)
	RecentEvents(ctx context.Context, limit int) ([]audience.Event, error)

	TriggerNames(ctx context.Context) ([]string, error)
	TriggerJourneys(ctx context.Context, eventName string) ([]journey.LiveVersion, error)
	TriggerSeq() int64
	OpenEnrollments(ctx context.Context) ([]journey.Enrollment, error)
	LastEnrollment(ctx context.Context, journeyKey string) (*journey.Enrollment, error)
	// Progress is what is recorded of an enrollment's steps: enough to go on with it where it stands.
	Progress(ctx context.Context, enrollmentID string) (journey.Progress, error)
	CreateEnrollment(ctx context.Context, e journey.Enrollment) (journey.Enrollment, bool, error)
	UpdateEnrollment(ctx context.Context, id string, state journey.EnrollmentState, step, reason string, wakeAt, endedAt *time.Time) error
	RecordDecision(ctx context.Context, d journey.Decision) (journey.Decision, bool, error)
	// Decision finds a recorded one, or nil.
	Decision(ctx context.Context, enrollmentID, stepID string, visit int, kind string) (*journey.Decision, error)
	// Park writes what the contact's journey waits for, how far triggers were read, and clears the pending mark.
	Park(ctx context.Context, interests []string, triggerSeq int64) error
	MarkPending(ctx context.Context, now time.Time) (bool, error)

	UpdateContact(ctx context.Context, set map[string]any, increment map[string]float64, now time.Time) error
	AddScore(ctx context.Context, points int, reason, enrollmentID, stepID string, visit int, now time.Time) (int, bool, error)
	ScoreReasons(ctx context.Context, limit int) ([]sales.ScoreChange, error)
	SetStage(ctx context.Context, stage, reason string, now time.Time) error

	Suppressed(ctx context.Context, emailKey string) (string, bool, error)
	// ConsentRefusal is why the contact gets no marketing mail of a topic; empty when it does.
	ConsentRefusal(ctx context.Context, topic string) (string, error)
	// TrackingConsent tells whether it may be seen what the contact does with its mail.
	TrackingConsent(ctx context.Context) (bool, error)
	CountedMail(ctx context.Context, since time.Time) ([]email.SentMail, error)
	HeldBefore(ctx context.Context, enrollmentID string, priority int) ([]string, error)
	HoldSend(ctx context.Context, enrollmentID, topic string, priority int, held email.Verdict) error
	HoldReason(ctx context.Context, enrollmentID string) (string, error)
	ReleaseSend(ctx context.Context, enrollmentID string) error
	// PrepareSend asks for all of this ahead, at once.
	PrepareSend(ctx context.Context, q email.SendQuestions) error
	Message(ctx context.Context, id string) (*email.Message, error)
	InsertMessage(ctx context.Context, m email.Message) error
	ClaimMessage(ctx context.Context, id string, leaseUntil, now time.Time) (email.Message, error)
	SkipMessage(ctx context.Context, id, reason string, now time.Time) error
	// ChooseSubject notes which line of a set a message got, or why there was no choice.
	ChooseSubject(ctx context.Context, messageID, setID, lineID, reason string, now time.Time) error

	// FindStanding finds how an experiment stands, and what the contact was given in it before (nil: nothing); KeepArm writes what it is given.
	FindStanding(ctx context.Context, p journey.Planned, now time.Time) (journey.Standing, *journey.Assigned, error)
	KeepArm(ctx context.Context, experiment string, a journey.Assignment, now time.Time) error
	SetConverted(ctx context.Context, experiment string, at *time.Time, looked int64) error

	// WithSales tells whether a handoff of the contact is open or accepted.
	WithSales(ctx context.Context) (bool, error)

	// Recipient finds a recipient of a broadcast that stands for this contact, or nil.
	Recipient(ctx context.Context, messageID string) (*email.LockedRecipient, error)
	UpdateRecipient(ctx context.Context, r email.BroadcastRecipient) error

	CreateHandoff(ctx context.Context, h sales.Handoff) (sales.Handoff, bool, error)
	Handoff(ctx context.Context, id string) (sales.Handoff, error)
	UpdateHandoff(ctx context.Context, h sales.Handoff) error
}

// Ledger is the send ledger outside of the contact's lock.
type Ledger interface {
	FindMessage(ctx context.Context, id string) (email.Message, error)
	// FinishMessage also suppresses the address, in the same transaction, when the server said that there is none such.
	FinishMessage(ctx context.Context, id string, fence int64, result email.Delivery, state email.State, reason string, now time.Time) (bool, error)
	ExtendLease(ctx context.Context, id string, fence int64, until time.Time) (bool, error)
	ExpireLease(ctx context.Context, id string, now time.Time) (email.Message, error)
	// NoteWait notes that a mail waits for its turn with a provider.
	NoteWait(ctx context.Context, id, provider string, until time.Time) error
}

// VersionSource finds frozen definitions by their hash.
type VersionSource interface {
	FindVersionByHash(ctx context.Context, hash string) (journey.Version, error)
}

// Templates finds the newest version of a template.
type Templates interface {
	FindTemplate(ctx context.Context, key string) (email.TemplateVersion, error)
}

// Brands finds the brand that was saved last; its revision is 0 while there is none.
type Brands interface {
	FindBrand(ctx context.Context) (email.BrandVersion, error)
}

// Addresses looks up whether a contact's address can get mail, and keeps the verdict.
type Addresses interface {
	LookUp(ctx context.Context, contactID string) error
}

// Transport hands a message to an SMTP server, under its own phase deadlines.
type Transport interface {
	Send(ctx context.Context, envelope email.Envelope) email.Delivery
}

// WebhookCaller posts an outbound webhook.
type WebhookCaller interface {
	Call(ctx context.Context, request integration.WebhookRequest) (integration.WebhookResult, error)
}

// Clock tells the time. A port, so that a test can run a month in seconds.
type Clock func() time.Time

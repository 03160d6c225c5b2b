package api

import (
	"context"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

// Whereabouts finds people, and tells where they are on their way and what keeps mail from them. A contact that is not there is a fault of
// kind NotFound.
type Whereabouts interface {
	ListContacts(ctx context.Context, filter audience.ContactFilter, cursor string, limit int) (Page[audience.Contact], error)
	Consents(ctx context.Context, contactID string) (audience.Consents, error)
	// ContactEnrollments and ContactHandoffs are the newest first.
	ContactEnrollments(ctx context.Context, contactID string) ([]journey.Enrollment, error)
	ContactHandoffs(ctx context.Context, contactID string) ([]sales.Handoff, error)
	EnrollmentDecisions(ctx context.Context, enrollmentID string) ([]journey.Decision, error)
	// LastRefusal and StepMessage are nil when there is none.
	LastRefusal(ctx context.Context, contactID, journeyKey string) (*journey.Decision, error)
	StepMessage(ctx context.Context, enrollmentID, stepID string) (*email.Message, error)
	// ContactPauses lists when journeys stood still while the contact was in them, in the order of time: of one journey, or (empty) of all.
	ContactPauses(ctx context.Context, contactID, journeyKey string) ([]journey.EnrollmentPause, error)
	// FirstEvents is how a contact's journal begins.
	FirstEvents(ctx context.Context, contactID string) ([]audience.Event, error)
	LiveVersions(ctx context.Context) ([]journey.Version, error)
}

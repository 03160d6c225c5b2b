package store

import (
	"context"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// What is known about one contact's way, to be read and not locked: where it stands, what was decided, what keeps mail from it.

const (
	maxEnrollments = 200 // of a contact, as far as they are shown: the newest
	maxHandoffs    = 50
)

// reader finds a contact, or the one that it was merged into, before something about it is read.
func (s *Store) reader(ctx context.Context, op, contactID string) (dbsqlc.Contact, error) {
	id, err := parseID(contactID)
	if err != nil {
		return dbsqlc.Contact{}, contactNotFound(op, err)
	}
	row, err := findFollowing(ctx, s.q, id)
	if err != nil {
		return dbsqlc.Contact{}, contactNotFound(op, err)
	}
	return row, nil
}

// ContactEnrollments lists a contact's enrollments, the newest first.
func (s *Store) ContactEnrollments(ctx context.Context, contactID string) ([]journey.Enrollment, error) {
	contact, err := s.reader(ctx, "list enrollments", contactID)
	if err != nil {
		return nil, err
	}
	rows, err := s.q.ListContactEnrollments(ctx, contact.ID, maxEnrollments)
	if err != nil {
		return nil, failure("list enrollments", err)
	}
	return converted(rows, enrollmentOf), nil
}

// EnrollmentDecisions lists what was decided at the steps of an enrollment, in its order.
func (s *Store) EnrollmentDecisions(ctx context.Context, enrollmentID string) ([]journey.Decision, error) {
	id, err := parseID(enrollmentID)
	if err != nil {
		return nil, enrollmentNotFound(err)
	}
	rows, err := s.q.ListEnrollmentDecisions(ctx, id)
	if err != nil {
		return nil, failure("list decisions of an enrollment", err)
	}
	out := make([]journey.Decision, len(rows))
	for i, row := range rows {
		if out[i], err = decisionOf(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LastRefusal is the newest time that a contact was kept out of a journey, or nil.
func (s *Store) LastRefusal(ctx context.Context, contactID, journeyKey string) (*journey.Decision, error) {
	contact, err := s.reader(ctx, "find refusal", contactID)
	if err != nil {
		return nil, err
	}
	row, err := s.q.FindLastRefusal(ctx, contact.ID, clean(journeyKey))
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // nothing found is an answer here
	}
	if err != nil {
		return nil, failure("find refusal", err)
	}
	d, err := decisionOf(row)
	return &d, err
}

// ContactHandoffs lists a contact's handoffs, the newest first.
func (s *Store) ContactHandoffs(ctx context.Context, contactID string) ([]sales.Handoff, error) {
	contact, err := s.reader(ctx, "list handoffs of a contact", contactID)
	if err != nil {
		return nil, err
	}
	rows, err := s.q.ListContactHandoffs(ctx, contact.ID, maxHandoffs)
	if err != nil {
		return nil, failure("list handoffs of a contact", err)
	}
	return converted(rows, handoffOf), nil
}

// FirstEvents is how a contact's journal begins, in the order in which it happened: with what was told about where the contact came from.
func (s *Store) FirstEvents(ctx context.Context, contactID string) ([]audience.Event, error) {
	contact, err := s.reader(ctx, "list first events", contactID)
	if err != nil {
		return nil, err
	}
	rows, err := s.q.ListFirstEvents(ctx, contact.ID)
	if err != nil {
		return nil, failure("list first events", err)
	}
	out := make([]audience.Event, len(rows))
	for i, row := range rows {
		out[i] = audience.Event{Type: audience.EventType(row.Type), Name: row.Name, OccurredAt: row.OccurredAt}
		if len(row.Context) > 0 {
			if out[i].Context, err = decodeObject(row.Context); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// StepMessage is the message of a step's newest visit in an enrollment, without its bodies, or nil.
func (s *Store) StepMessage(ctx context.Context, enrollmentID, stepID string) (*email.Message, error) {
	id, err := parseID(enrollmentID)
	if err != nil {
		return nil, nil //nolint:nilnil // no enrollment, no message
	}
	row, err := s.q.FindStepMessage(ctx, id, clean(stepID))
	return optional(messageOf, "find message of a step")(dbsqlc.Message(row), err)
}

// LiveVersions lists the versions that contacts enter, by the journey's key.
func (s *Store) LiveVersions(ctx context.Context) ([]journey.Version, error) {
	rows, err := s.q.ListLiveVersions(ctx)
	if err != nil {
		return nil, failure("list live versions", err)
	}
	return converted(rows, versionOf), nil
}

// Consents tells what a contact has permitted and withdrawn, and whether its address must not be written to at all.
func (s *Store) Consents(ctx context.Context, contactID string) (audience.Consents, error) {
	contact, err := s.reader(ctx, "list consents", contactID)
	if err != nil {
		return audience.Consents{}, err
	}
	rows, err := s.q.ListConsents(ctx, contact.ID)
	if err != nil {
		return audience.Consents{}, failure("list consents", err)
	}
	out := audience.Consents{Consents: converted(rows, func(row dbsqlc.Consent) audience.Consent {
		return audience.Consent{Topic: row.Topic, Granted: row.Granted, Source: row.Source, At: row.At, Pending: row.Pending}
	})}
	if contact.EmailKey == nil {
		return out, nil
	}
	out.Suppressed, err = s.suppression(ctx, *contact.EmailKey)
	return out, err
}

func (s *Store) suppression(ctx context.Context, key string) (*audience.Suppression, error) {
	row, err := s.q.FindSuppression(ctx, key)
	if err == nil {
		return &audience.Suppression{Reason: row.Reason, At: row.At}, nil
	}
	if !isNoRows(err) {
		return nil, failure("find suppression", err)
	}
	standing, err := s.q.FindStanding(ctx, key)
	if err != nil {
		return nil, failure("find suppression", err)
	}
	if len(standing.ErasureKey) == 0 {
		return nil, nil //nolint:nilnil // nothing found is an answer here
	}
	erased, err := s.q.FindErasedAddress(ctx, addressHash(standing.ErasureKey, key))
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, failure("find erased address", err)
	}
	return &audience.Suppression{Reason: reasonErased, At: erased.At}, nil
}

func converted[R, T any](rows []R, convert func(R) T) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = convert(row)
	}
	return out
}

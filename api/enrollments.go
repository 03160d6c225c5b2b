package api

import (
	"context"
	"fmt"
	"net/http"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// EnrollInput names a contact in exactly one way.
type EnrollInput struct {
	Key            string `path:"key" doc:"The journey."`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"100" doc:"The same key enrolls once and answers the same enrollment."`
	Body           struct {
		ContactID string `json:"contact_id,omitempty" maxLength:"36"`
		UserID    string `json:"user_id,omitempty" maxLength:"255"`
		Email     string `json:"email,omitempty" maxLength:"254"`
	}
}

// EnrollOutput is the enrollment: 201 when it is new, 200 when the same call had made it before.
type EnrollOutput struct {
	Status int
	Body   journey.Enrollment
}

func (s *server) enrollmentRoutes() {
	handle(s, operation{
		id: "enroll", method: http.MethodPost, path: "/v1/journeys/{key}/enrollments", tag: "journeys", status: http.StatusCreated, twin: http.StatusOK,
		summary: "Enroll a contact", errors: []int{http.StatusConflict},
		doc: "Needs no trigger. 409 with the code `not_published` when no version is live, or with the rule of re-entry that " +
			"does not allow it (`already_enrolled`, `reentry`).",
		access: anyOf(ScopeIngest, ScopeJourneys),
	}, s.enroll)
}

func (s *server) enroll(ctx context.Context, in *EnrollInput) (*EnrollOutput, error) {
	contact, err := s.identified(ctx, in.Body.ContactID, in.Body.UserID, in.Body.Email)
	if err != nil {
		return nil, err
	}
	now := s.now()
	var broken error
	allowed := func(version journey.Version, last *journey.Enrollment) (bool, string) {
		definition, problems := journey.Parse(version.Document)
		if definition == nil || fault.HasErrors(problems) {
			broken = fmt.Errorf("parse version %d of journey %s: %d problems", version.Number, version.Journey, len(problems))
			return false, "broken_version"
		}
		return journey.EnterAllowed(definition.Reenter, last, now)
	}
	enrollment, created, err := s.Journeys.Enroll(ctx, contact.ID, in.Key, idempotencyKey(in.IdempotencyKey), now, allowed)
	if broken != nil {
		return nil, broken
	}
	if err != nil {
		return nil, fmt.Errorf("enroll: %w", refusedEntry(err))
	}
	s.pokes.add(contact.ID)
	out := &EnrollOutput{Status: http.StatusOK, Body: enrollment}
	if created {
		out.Status = http.StatusCreated
	}
	return out, nil
}

// refusedEntry names a refusal by the two codes that clients know. The journal has the journey's finer reasons.
func refusedEntry(err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	switch f.Code {
	case journey.NotEnteredActive:
		return fault.New(fault.Conflict, "already_enrolled", "The contact is in this journey already.")
	case journey.NotEnteredBefore, journey.NotEnteredSoon:
		return fault.New(fault.Conflict, "reentry", "The contact has been in this journey, and its rule of re-entry does not allow it again now.")
	}
	return err
}

// identified finds the contact that a request names, in exactly one way.
func (s *server) identified(ctx context.Context, contactID, userID, address string) (audience.Contact, error) {
	given := 0
	for _, value := range []string{contactID, userID, address} {
		if value != "" {
			given++
		}
	}
	if given != 1 {
		return audience.Contact{}, invalid("", "one_identity", "Name the contact by exactly one of contact_id, user_id and email.")
	}
	var contact audience.Contact
	var err error
	switch {
	case userID != "":
		contact, err = s.Contacts.FindContactBy(ctx, "user_id", userID)
	case address != "":
		contact, err = s.Contacts.FindContactBy(ctx, "email", address)
	default:
		id, notID := parseID(contactID)
		if notID != nil {
			return audience.Contact{}, notID
		}
		contact, err = s.Contacts.FindContact(ctx, id)
	}
	if err != nil {
		return audience.Contact{}, fmt.Errorf("find contact: %w", err)
	}
	return contact, nil
}

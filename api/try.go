package api

import (
	"context"
	"fmt"
	"net/http"
	"net/mail"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// TryInput says who goes through a journey to see what it is like.
type TryInput struct {
	JourneyInput
	Body struct {
		Email     string `json:"email" minLength:"3" maxLength:"254" doc:"An address of your own: the journey's mails go there." example:"you@example.com"`
		FirstName string `json:"first_name,omitempty" maxLength:"100"`
	}
}

func (s *server) tryRoutes() {
	handle(s, operation{id: "try-journey", method: http.MethodPost, path: "/v1/journeys/{key}/try", tag: "journeys", status: http.StatusCreated,
		errors: []int{http.StatusConflict}, summary: "Go through a journey yourself",
		doc: "Enrolls the contact of this address in the live version, and makes the contact when there is none. It is a contact like any other. " +
			"409 with the codes of enrolling.", access: anyOf(ScopeJourneys)}, s.try)
}

func (s *server) try(ctx context.Context, in *TryInput) (*EnrollOutput, error) {
	if address, err := mail.ParseAddress(in.Body.Email); err != nil || address.Address != in.Body.Email {
		return nil, invalid("/email", "bad_address", "This is no e-mail address.")
	}
	if draft, err := s.Journeys.FindDraft(ctx, in.Key); err != nil {
		return nil, fmt.Errorf("find journey: %w", err)
	} else if draft.LiveVersion == 0 { // before a contact is made for nothing
		return nil, fault.New(fault.Conflict, "not_published", "Publish the journey first: nobody can enter it yet.")
	}
	contact, err := s.Contacts.FindContactBy(ctx, "email", in.Body.Email)
	if fault.KindOf(err) == fault.NotFound {
		contact.ID, err = s.makeContact(ctx, in)
	}
	if err != nil {
		return nil, fmt.Errorf("find contact to try with: %w", err)
	}
	enroll := &EnrollInput{Key: in.Key}
	enroll.Body.ContactID = contact.ID
	return s.enroll(ctx, enroll)
}

func (s *server) makeContact(ctx context.Context, in *TryInput) (string, error) {
	traits := map[string]any{"email": in.Body.Email}
	if in.Body.FirstName != "" {
		traits["first_name"] = in.Body.FirstName
	}
	now := s.now()
	accepted, err := s.Events.Ingest(ctx, now, []audience.Incoming{{
		Source: keyOf(ctx).ID, MessageID: uuid.NewString(), Type: audience.TypeIdentify, UserID: in.Body.Email, Traits: traits, OccurredAt: now,
	}})
	if err != nil {
		return "", fmt.Errorf("make contact: %w", err)
	}
	s.afterCommit(accepted)
	if len(accepted) != 1 {
		return "", fmt.Errorf("make contact: %d results for one event", len(accepted))
	}
	return accepted[0].ContactID, nil
}

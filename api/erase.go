package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Erasures begins to erase contacts and keeps the proofs.
type Erasures interface {
	RequestErasure(ctx context.Context, now time.Time, contactID string) (audience.Erasure, error)
	FindErasure(ctx context.Context, id string) (audience.Erasure, error)
}

// ErasureInput names an erasure.
type ErasureInput struct {
	ID string `path:"id" doc:"The erasure."`
}

type erasureOutput struct{ Body audience.Erasure }

func (s *server) eraseRoutes() {
	access := anyOf(ScopeAdmin)
	handle(s, operation{
		id: "erase-contact", method: http.MethodPost, path: "/v1/contacts/{id}/erase", tag: "contacts", status: http.StatusAccepted,
		summary: "Erase a contact",
		doc: "202 means that nothing is sent to the contact any more, and that everything kept about it will be gone within a minute: events, " +
			"messages, enrollments, the histories of its workflows. Its addresses stay suppressed by a keyed hash. Read the erasure to see when " +
			"it is done; it is the proof. Asked again, the answer is the same erasure.",
		access: access,
	}, s.erase)
	handle(s, operation{
		id: "find-erasure", method: http.MethodGet, path: "/v1/erasures/{id}", tag: "contacts", summary: "Read the proof of an erasure",
		doc: "What was deleted and when. Nothing in it says who it was.", access: access,
	}, s.findErasure)
}

func (s *server) erase(ctx context.Context, in *ContactInput) (*erasureOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	erasure, err := s.Erasures.RequestErasure(ctx, s.now(), id)
	if err != nil {
		return nil, fmt.Errorf("erase contact: %w", err)
	}
	return &erasureOutput{Body: erasure}, nil
}

func (s *server) findErasure(ctx context.Context, in *ErasureInput) (*erasureOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	erasure, err := s.Erasures.FindErasure(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("find erasure: %w", err)
	}
	return &erasureOutput{Body: erasure}, nil
}

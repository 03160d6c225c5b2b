package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Merger makes one contact of two.
type Merger interface {
	MergeContacts(ctx context.Context, now time.Time, intoID, fromID string) (audience.Contact, error)
}

type mergeInput struct {
	ContactInput
	Body struct {
		From string `json:"from" format:"uuid" doc:"The contact that goes up into this one. Its id leads here from then on."`
	}
}

func (s *server) mergeRoutes() {
	handle(s, operation{
		id: "merge-contact", method: http.MethodPost, path: "/v1/contacts/{id}/merge", tag: "contacts",
		summary: "Merge another contact into this one",
		doc: "Events, traits, scores, consents, enrollments and handoffs of both become those of this contact: of each trait, what was said last stands, " +
			"a withdrawn consent stays withdrawn, and the enrollments go on where they stood. Of two enrollments in the same journey the one that " +
			"sales works with goes on, else the older. Merged before, nothing changes. It can't be undone.",
		access: anyOf(ScopeAdmin),
	}, s.merge)
}

func (s *server) merge(ctx context.Context, in *mergeInput) (*contactOutput, error) {
	into, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	from, err := parseID(in.Body.From)
	if err != nil {
		return nil, err
	}
	contact, err := s.Merger.MergeContacts(ctx, s.now(), into, from)
	if err != nil {
		return nil, fmt.Errorf("merge contacts: %w", err)
	}
	return &contactOutput{Body: withTraits(contact)}, nil
}

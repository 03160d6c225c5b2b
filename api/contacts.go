package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// ContactsInput looks a contact up by exactly one identity, or lists. The address stands in the query by contract; it is never logged.
type ContactsInput struct {
	ListInput
	Segment string `query:"segment" maxLength:"64" doc:"Of a list: only who is in this segment."`
	Stage   string `query:"stage" maxLength:"64" doc:"Of a list: only who is in this lifecycle stage."`
	UserID  string `query:"user_id" maxLength:"255"`
	Email   string `query:"email" maxLength:"254"`

	lookUp bool // an identity was named, if only by an empty text: that is a slip, and must not list everybody
}

// Resolve implements huma.Resolver.
func (in *ContactsInput) Resolve(ctx huma.Context) []error {
	url := ctx.URL()
	in.lookUp = url.Query().Has("user_id") || url.Query().Has("email")
	return nil
}

// ContactInput names a contact.
type ContactInput struct {
	ID string `path:"id" doc:"The contact."`
}

type contactOutput struct{ Body audience.Contact }

func (s *server) contactRoutes() {
	// Reps look for the contact that they were handed; so the sales scope may read contacts, timelines and messages.
	rep := anyOf(ScopeRead, ScopeSales)
	handle(s, operation{id: "find-contacts", method: http.MethodGet, path: "/v1/contacts", tag: "contacts",
		summary: "Look a contact up, or list contacts", doc: "By user_id or by email, at most one of them; empty when there is nobody. With neither, a list: the newest first; " +
			"of a segment, who came into it last. To find somebody by a part of a name or an address, see search.", access: rep}, s.findContacts)
	s.searchRoutes()
	s.whereaboutsRoutes()
	s.lineRoutes()
	handle(s, operation{id: "find-contact", method: http.MethodGet, path: "/v1/contacts/{id}", tag: "contacts",
		summary: "Read a contact", access: rep}, s.findContact)
	handle(s, operation{id: "list-timeline", method: http.MethodGet, path: "/v1/contacts/{id}/timeline", tag: "contacts",
		summary: "Read what happened to a contact, and why", doc: "Events, decisions with their reasons, messages, handoffs, scores and pauses of its journeys, oldest first.",
		access: rep}, s.timeline)
}

func (s *server) findContacts(ctx context.Context, in *ContactsInput) (*listOutput[audience.Contact], error) {
	kind, value := "user_id", in.UserID
	if in.Email != "" {
		kind, value = "email", in.Email
	}
	if in.lookUp && (value == "" || (in.UserID != "" && in.Email != "")) {
		return nil, invalid("query", "one_identity", "Look up by exactly one of user_id and email.")
	}
	if !in.lookUp {
		return s.listContacts(ctx, audience.ContactFilter{Segment: in.Segment, Stage: in.Stage}, in.ListInput)
	}
	if in.Segment != "" || in.Stage != "" || in.Cursor != "" {
		return nil, invalid("query", "one_identity", "A list has filters; a look-up has one of user_id and email, and nothing else.")
	}
	contact, err := s.Contacts.FindContactBy(ctx, kind, value)
	if fault.KindOf(err) == fault.NotFound {
		return listOf(Page[audience.Contact]{}), nil
	}
	if err != nil {
		return nil, fmt.Errorf("find contact by %s: %w", kind, err)
	}
	return listOf(Page[audience.Contact]{Items: []audience.Contact{withTraits(contact)}}), nil
}

func (s *server) findContact(ctx context.Context, in *ContactInput) (*contactOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	contact, err := s.Contacts.FindContact(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("find contact: %w", err)
	}
	return &contactOutput{Body: withTraits(contact)}, nil
}

func (s *server) timeline(ctx context.Context, in *struct {
	ContactInput
	ListInput
}) (*listOutput[TimelineEntry], error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	_, after, err := in.numberCursor()
	if err != nil {
		return nil, err
	}
	entries, next, err := s.Contacts.Timeline(ctx, id, after, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	if err := s.tell(ctx, id, entries); err != nil {
		return nil, err
	}
	page := Page[TimelineEntry]{Items: entries}
	if next > 0 {
		page.Next = strconv.FormatInt(next, 10)
	}
	return listOf(page), nil
}

// withTraits has an empty object where there are no traits.
func withTraits(c audience.Contact) audience.Contact {
	if c.Traits == nil {
		c.Traits = map[string]any{}
	}
	return c
}

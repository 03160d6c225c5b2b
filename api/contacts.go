package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// ContactsInput looks a contact up by exactly one identity. The address stands in the query by contract; it is never logged.
type ContactsInput struct {
	UserID string `query:"user_id" maxLength:"255"`
	Email  string `query:"email" maxLength:"254"`
}

// ContactInput names a contact.
type ContactInput struct {
	ID string `path:"id" doc:"The contact."`
}

// SearchInput says whom to list.
type SearchInput struct {
	Body struct {
		Q       string `json:"q,omitempty" maxLength:"200" doc:"The beginning of an e-mail address, a user id or a name; two characters at least." example:"ana"`
		Segment string `json:"segment,omitempty" maxLength:"64"`
		Stage   string `json:"stage,omitempty" maxLength:"64"`
		Cursor  string `json:"cursor,omitempty" maxLength:"2000" doc:"next_cursor of the page before."`
		Limit   int    `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50"`
	}
}

type contactOutput struct{ Body audience.Contact }

func (s *server) contactRoutes() {
	read := anyOf(ScopeRead)
	handle(s, operation{id: "find-contacts", method: http.MethodGet, path: "/v1/contacts", tag: "contacts",
		summary: "Look a contact up", doc: "By user_id or by email, exactly one. Empty when there is nobody.", access: read}, s.findContacts)
	handle(s, operation{id: "search-contacts", method: http.MethodPost, path: "/v1/contacts/search", tag: "contacts",
		summary: "List and search contacts", doc: "By the beginning of an e-mail address, a user id or a name, whatever its case: addresses first, then user ids, then names. Without one: " +
			"the newest first; of a segment, who came into it last. A POST, so that no address stands in a URL.", access: anyOf(ScopeRead, ScopeSales)}, s.searchContacts)
	// Reps read the contact that they were handed; so the sales scope may read contacts, timelines and messages.
	rep := anyOf(ScopeRead, ScopeSales)
	handle(s, operation{id: "find-contact", method: http.MethodGet, path: "/v1/contacts/{id}", tag: "contacts",
		summary: "Read a contact", access: rep}, s.findContact)
	handle(s, operation{id: "list-timeline", method: http.MethodGet, path: "/v1/contacts/{id}/timeline", tag: "contacts",
		summary: "Read what happened to a contact, and why", doc: "Events, decisions with their reasons, messages, handoffs and scores, oldest first.",
		access: rep}, s.timeline)
}

func (s *server) findContacts(ctx context.Context, in *ContactsInput) (*listOutput[audience.Contact], error) {
	kind, value := "user_id", in.UserID
	if in.Email != "" {
		kind, value = "email", in.Email
	}
	if value == "" || (in.UserID != "" && in.Email != "") {
		return nil, invalid("query", "one_identity", "Look up by exactly one of user_id and email.")
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

func (s *server) searchContacts(ctx context.Context, in *SearchInput) (*listOutput[audience.Contact], error) {
	q := strings.TrimSpace(in.Body.Q)
	if len([]rune(q)) == 1 {
		return nil, invalid("/q", "too_short", "Two characters at least, so that what is found is of use.")
	}
	cursor, err := ListInput{Cursor: in.Body.Cursor}.keyCursor()
	if err != nil {
		return nil, invalid("/cursor", "bad_cursor", "This is no cursor of this list: take next_cursor of the page before.")
	}
	page, err := s.Contacts.ListContacts(ctx, audience.ContactFilter{Beginning: q, Segment: in.Body.Segment, Stage: in.Body.Stage}, cursor, in.Body.Limit)
	if err != nil {
		return nil, fmt.Errorf("search contacts: %w", err)
	}
	for i := range page.Items {
		page.Items[i] = withTraits(page.Items[i])
	}
	return listOf(page), nil
}

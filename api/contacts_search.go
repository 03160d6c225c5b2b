package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"throughline.dev/throughline/internal/audience"
)

// minSearch is how much of a name or an address a search needs.
const minSearch = 2

// SearchInput stands in the body: what somebody types is an address or a name, and those have no place in addresses of pages and in logs.
type SearchInput struct {
	Body struct {
		Q       string `json:"q,omitempty" maxLength:"254" doc:"The beginning of an e-mail address, a user id or a name (first_name, last_name, both, or name), at least 2 characters. Upper and lower case are the same. Without it all are listed." example:"ana"`
		Segment string `json:"segment,omitempty" maxLength:"64" doc:"Only who is in this segment."`
		Stage   string `json:"stage,omitempty" maxLength:"64" doc:"Only who is in this lifecycle stage."`
		Limit   int    `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
		Cursor  string `json:"cursor,omitempty" maxLength:"3000" doc:"next_cursor of the page before."`
	}
}

func (s *server) searchRoutes() {
	handle(s, operation{id: "search-contacts", method: http.MethodPost, path: "/v1/contacts/search", tag: "contacts", summary: "Search contacts",
		doc: "By the beginning of an address, a user id or a name: addresses first, then user ids, then names, each in the order of the alphabet. " +
			"Without q the newest first; of a segment, who came into it last.", access: anyOf(ScopeRead, ScopeSales)}, s.searchContacts)
}

func (s *server) searchContacts(ctx context.Context, in *SearchInput) (*listOutput[audience.Contact], error) {
	q := strings.TrimSpace(in.Body.Q)
	if in.Body.Q != "" && utf8.RuneCountInString(q) < minSearch {
		return nil, invalid("/q", "too_short", "A search needs two characters or more.")
	}
	list := ListInput{Limit: in.Body.Limit, Cursor: in.Body.Cursor}
	return s.listContacts(ctx, audience.ContactFilter{Beginning: q, Segment: in.Body.Segment, Stage: in.Body.Stage}, list)
}

func (s *server) listContacts(ctx context.Context, filter audience.ContactFilter, in ListInput) (*listOutput[audience.Contact], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Whereabouts.ListContacts(ctx, filter, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list contacts: %w", err)
	}
	for i := range page.Items {
		page.Items[i] = withTraits(page.Items[i])
	}
	return listOf(page), nil
}

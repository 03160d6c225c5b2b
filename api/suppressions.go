package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
)

// Suppressions keeps the addresses that are never written to.
type Suppressions interface {
	ListSuppressions(ctx context.Context, reason, cursor string, limit int) (Page[audience.SuppressedAddress], error)
	SuppressAll(ctx context.Context, addresses []string, reason, by string, now time.Time) (added int, err error)
	Unsuppress(ctx context.Context, address string) error
}

// ListSuppressionsInput narrows the list.
type ListSuppressionsInput struct {
	ListInput
	Reason string `query:"reason" enum:"hard_bounce,soft_bounces,complaint,manual,imported" doc:"Only those of this reason."`
}

// SuppressInput are addresses to be added.
type SuppressInput struct {
	Body struct {
		Addresses []string `json:"addresses" minItems:"1" maxItems:"500" doc:"The addresses."`
		Reason    string   `json:"reason,omitempty" enum:"manual,imported" default:"manual" doc:"imported: they come from the list of another tool."`
	}
}

// Suppressed tells what became of the addresses.
type Suppressed struct {
	Added    int             `json:"added" doc:"How many were not on the list."`
	Known    int             `json:"known" doc:"How many were, and those that were given twice."`
	Problems []fault.Problem `json:"problems" nullable:"false" doc:"What is no address; all others were added."`
}

// UnsuppressInput is an address to be taken off the list. It stands in the body, so that no log of addresses of pages keeps it.
type UnsuppressInput struct {
	Body struct {
		Address string `json:"address" minLength:"1" maxLength:"320"`
	}
}

type suppressedOutput struct{ Body Suppressed }

func (s *server) suppressionRoutes() {
	handle(s, operation{id: "list-suppressions", method: http.MethodGet, path: "/v1/suppressions", tag: "consents", summary: "List suppressed addresses",
		doc: "The newest first. The addresses of people who were erased stay suppressed, and are not listed: nobody can read them.", access: anyOf(ScopeRead)}, s.listSuppressions)
	handle(s, operation{id: "suppress", method: http.MethodPost, path: "/v1/suppressions", tag: "consents", summary: "Suppress addresses",
		doc:    "Nothing is written to them any more, neither marketing nor transactional mail: once this is answered, no mail to them starts. What is suppressed already keeps its reason.",
		access: anyOf(ScopeJourneys)}, s.suppress)
	handle(s, operation{id: "unsuppress", method: http.MethodPost, path: "/v1/suppressions/remove", tag: "consents", summary: "Take an address off the list",
		doc: "For a mailbox that works again. An address whose owner has complained stays: 409 `complained`.", status: http.StatusNoContent, access: anyOf(ScopeJourneys)}, s.unsuppress)
}

func (s *server) listSuppressions(ctx context.Context, in *ListSuppressionsInput) (*listOutput[audience.SuppressedAddress], error) {
	cursor, _, err := in.numberCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Suppressions.ListSuppressions(ctx, in.Reason, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list suppressions: %w", err)
	}
	return listOf(page), nil
}

func (s *server) suppress(ctx context.Context, in *SuppressInput) (*suppressedOutput, error) {
	out := Suppressed{Problems: []fault.Problem{}}
	var addresses []string
	for i, text := range in.Body.Addresses {
		address, err := email.AddressKey(text)
		if err != nil {
			out.Problems = append(out.Problems, fault.Problem{Path: "/addresses/" + strconv.Itoa(i), Code: "invalid_address", Level: fault.LevelError, Message: "This is no e-mail address."})
			continue
		}
		addresses = append(addresses, address)
	}
	if len(addresses) > 0 {
		added, err := s.Suppressions.SuppressAll(ctx, addresses, in.Body.Reason, keyOf(ctx).Name, s.now())
		if err != nil {
			return nil, fmt.Errorf("suppress: %w", err)
		}
		out.Added, out.Known = added, len(addresses)-added
	}
	return &suppressedOutput{Body: out}, nil
}

func (s *server) unsuppress(ctx context.Context, in *UnsuppressInput) (*struct{}, error) {
	address, err := email.AddressKey(in.Body.Address)
	if err != nil {
		return nil, invalid("/address", "invalid_address", "This is no e-mail address.")
	}
	if err := s.Suppressions.Unsuppress(ctx, address); err != nil {
		return nil, fmt.Errorf("take off the list: %w", err)
	}
	return nil, nil //nolint:nilnil // there is nothing to say
}

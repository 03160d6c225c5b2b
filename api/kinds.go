package api

import (
	"context"
	"net/http"

	"throughline.dev/throughline/internal/journey"
)

type kindsOutput struct {
	Body List[journey.KindSpec]
}

func (s *server) kindRoutes() {
	handle(s, operation{
		id: "list-step-kinds", method: http.MethodGet, path: "/v1/step_kinds", tag: "journeys", summary: "The kinds of steps that journeys are made of",
		doc:    "In the order of a palette, each with its fields, the ways out of it, and an example.",
		access: anyOf(ScopeJourneys, ScopeRead),
	}, s.listKinds)
}

func (s *server) listKinds(context.Context, *struct{}) (*kindsOutput, error) {
	return &kindsOutput{Body: List[journey.KindSpec]{Data: journey.Kinds()}}, nil
}

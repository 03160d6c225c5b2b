package api

import (
	"context"
	"net/http"

	"throughline.dev/throughline/internal/journey"
)

// StepKinds is what a definition is made of: what an editor needs to know to offer a form for each part.
type StepKinds struct {
	Data       []journey.KindSpec `json:"data" nullable:"false"`
	Definition []journey.Field    `json:"definition" nullable:"false" doc:"The fields of a definition besides its steps."`
}

type kindsOutput struct{ Body StepKinds }

func (s *server) kindRoutes() {
	handle(s, operation{
		id: "list-step-kinds", method: http.MethodGet, path: "/v1/step_kinds", tag: "journeys", summary: "The kinds of steps that journeys are made of",
		doc:    "In the order of a palette, each with its fields, the ways out of it, and an example.",
		access: anyOf(ScopeJourneys, ScopeRead),
	}, s.listKinds)
}

func (s *server) listKinds(context.Context, *struct{}) (*kindsOutput, error) {
	return &kindsOutput{Body: StepKinds{Data: journey.Kinds(), Definition: journey.DefinitionFields()}}, nil
}

package api

import (
	"context"
	"net/http"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

// StepKinds is what a definition is made of: what an editor needs to know to offer a form for each part.
type StepKinds struct {
	Data       []journey.KindSpec `json:"data" nullable:"false"`
	Definition []journey.Field    `json:"definition" nullable:"false" doc:"The fields of a definition besides its steps."`
	Step       []journey.Field    `json:"step" nullable:"false" doc:"The fields of a step besides the one that is named after its kind."`
	Words      []audience.Word    `json:"words" nullable:"false" doc:"What conditions are made of."`
	Stages     []string           `json:"stages" nullable:"false" doc:"The lifecycle stages in their order."`
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
	return &kindsOutput{Body: StepKinds{Data: journey.Kinds(), Definition: journey.DefinitionFields(), Step: journey.StepFields(),
		Words: audience.ConditionWords(), Stages: sales.Stages()}}, nil
}

package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// Experiments keeps what experiments have counted, and who has won. The list is the newest first, with numbers as cursors; of one journey, or
// (empty) of all.
type Experiments interface {
	ListExperiments(ctx context.Context, journeyKey, cursor string, limit int) (Page[journey.ExperimentRecord], error)
	FindExperiment(ctx context.Context, id string) (journey.ExperimentRecord, error)
	// ChooseWinner refuses as a Conflict when somebody has chosen since the expected revision.
	ChooseWinner(ctx context.Context, id string, w journey.ExperimentWinner, expected *int64) (journey.ExperimentRecord, error)
}

// ExperimentInput names an experiment.
type ExperimentInput struct {
	ID string `path:"id" maxLength:"64" doc:"The experiment."`
}

// ExperimentsInput says which experiments.
type ExperimentsInput struct {
	Journey string `query:"journey" maxLength:"64" doc:"Those of this journey."`
	ListInput
}

// WinnerInput chooses a winner.
type WinnerInput struct {
	ExperimentInput
	Body struct {
		Port             string `json:"port" maxLength:"10" doc:"The variant that all new contacts get." example:"1"`
		ExpectedRevision *int64 `json:"expected_revision,omitempty" minimum:"1" doc:"Choose only when nobody has chosen since this revision."`
	}
}

type experimentOutput struct{ Body journey.Experiment }

func (s *server) experimentRoutes() {
	read := anyOf(ScopeJourneys, ScopeRead)
	handle(s, operation{id: "list-experiments", method: http.MethodGet, path: "/v1/experiments", tag: "journeys", summary: "List experiments",
		doc: "Of all journeys, newest first: splits, and mails that are withheld from a part of the contacts. What they show holds however often one looks.", access: read}, s.listExperiments)
	handle(s, operation{id: "find-experiment", method: http.MethodGet, path: "/v1/experiments/{id}", tag: "journeys", summary: "Read an experiment", access: read}, s.findExperiment)
	handle(s, operation{id: "choose-winner", method: http.MethodPost, path: "/v1/experiments/{id}/winner", tag: "journeys", errors: []int{http.StatusConflict},
		summary: "End an experiment by choosing a variant",
		doc: "From the commit on, all new contacts get this variant; those who got another one keep it. Another choice replaces it; who has chosen what and when is kept. " +
			"409 `stale_revision` when somebody else has chosen since.", access: anyOf(ScopeJourneys)}, s.chooseWinner)
}

func (s *server) listExperiments(ctx context.Context, in *ExperimentsInput) (*listOutput[journey.Experiment], error) {
	cursor, _, err := in.numberCursor()
	if err != nil {
		return nil, err
	}
	records, err := s.Experiments.ListExperiments(ctx, in.Journey, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list experiments: %w", err)
	}
	page := Page[journey.Experiment]{Next: records.Next}
	for _, r := range records.Items {
		page.Items = append(page.Items, r.Show())
	}
	return listOf(page), nil
}

func (s *server) findExperiment(ctx context.Context, in *ExperimentInput) (*experimentOutput, error) {
	record, err := s.Experiments.FindExperiment(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("find experiment: %w", err)
	}
	return &experimentOutput{Body: record.Show()}, nil
}

func (s *server) chooseWinner(ctx context.Context, in *WinnerInput) (*experimentOutput, error) {
	record, err := s.Experiments.FindExperiment(ctx, in.ID)
	if err != nil {
		return nil, fmt.Errorf("find experiment: %w", err)
	}
	if !record.Has(in.Body.Port) {
		return nil, invalid("/port", "unknown_variant", "The experiment has no such variant.")
	}
	record, err = s.Experiments.ChooseWinner(ctx, in.ID, journey.ExperimentWinner{Port: in.Body.Port, Since: s.now().UTC().Truncate(time.Microsecond), By: keyOf(ctx).Name}, in.Body.ExpectedRevision)
	if err != nil {
		return nil, fmt.Errorf("choose winner: %w", err)
	}
	return &experimentOutput{Body: record.Show()}, nil
}

// newExperiments warns of experiments that publishing would begin anew, because what they compare is not what the live version compares.
func (s *server) newExperiments(ctx context.Context, definition *journey.Definition) ([]fault.Problem, error) {
	if definition == nil || definition.Journey == "" || len(definition.Experiments()) == 0 {
		return nil, nil
	}
	key := definition.Journey
	draft, err := s.Journeys.FindDraft(ctx, key)
	if fault.KindOf(err) == fault.NotFound && err != nil || err == nil && draft.LiveVersion == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find draft: %w", err)
	}
	version, err := s.Journeys.FindVersion(ctx, key, draft.LiveVersion)
	if err != nil {
		return nil, fmt.Errorf("find live version: %w", err)
	}
	live, _ := journey.Parse(version.Document)
	return definition.NewExperiments(live), nil
}

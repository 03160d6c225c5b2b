package api

import (
	"context"
	"fmt"
	"net/http"

	"throughline.dev/throughline/internal/sales"
)

// MoveStageInput is a person's word about a contact's lifecycle stage.
type MoveStageInput struct {
	ContactInput
	Body struct {
		Stage  string `json:"stage" maxLength:"64" doc:"subscriber, lead, mql, sql, opportunity, customer or evangelist." example:"lead"`
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why; needed to go back." example:"no budget this year"`
	}
}

// StageClocks is a contact's stage, and the clocks of all stages in their order.
type StageClocks struct {
	Stage  string             `json:"stage"`
	Clocks []sales.StageClock `json:"clocks" nullable:"false"`
}

type stageClocksOutput struct{ Body StageClocks }

func (s *server) stageRoutes() {
	handle(s, operation{id: "list-stages", method: http.MethodGet, path: "/v1/contacts/{id}/stages", tag: "contacts", summary: "Read when a contact was in which lifecycle stage",
		doc: "Every stage with when it was entered first and last, when it was left, and the time in it altogether.", access: anyOf(ScopeRead, ScopeSales)}, s.listStages)
	handle(s, operation{id: "move-stage", method: http.MethodPut, path: "/v1/contacts/{id}/stage", tag: "contacts", summary: "Move a contact to a lifecycle stage",
		doc: "Forward is free; back needs a reason, else 422 names the field. A contact that was moved back is not moved forward to that stage by its " +
			"score before the score has been below the threshold once.", access: anyOf(ScopeSales)}, s.moveStage)
}

func (s *server) listStages(ctx context.Context, in *ContactInput) (*stageClocksOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	clocks, err := s.Scoring.StageClocks(ctx, id, s.now())
	if err != nil {
		return nil, fmt.Errorf("read stages: %w", err)
	}
	out := StageClocks{Clocks: clocks}
	for _, c := range clocks {
		if c.Current {
			out.Stage = c.Stage
		}
	}
	return &stageClocksOutput{Body: out}, nil
}

func (s *server) moveStage(ctx context.Context, in *MoveStageInput) (*contactOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	contact, err := s.Scoring.MoveStage(ctx, id, in.Body.Stage, in.Body.Reason, s.now())
	if err != nil {
		return nil, fmt.Errorf("move stage: %w", err)
	}
	return &contactOutput{Body: withTraits(contact)}, nil
}

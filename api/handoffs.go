package api

import (
	"context"
	"fmt"
	"net/http"

	"throughline.dev/throughline/internal/sales"
)

// HandoffsInput lists handoffs.
type HandoffsInput struct {
	Status string `query:"status" enum:"open,accepted,rejected,won,lost,expired,cancelled" doc:"All, when absent."`
	ListInput
}

// HandoffInput names a handoff.
type HandoffInput struct {
	ID string `path:"id" doc:"The handoff."`
}

type acceptInput struct {
	HandoffInput
	Body struct {
		Owner string `json:"owner" minLength:"1" maxLength:"100" doc:"Who takes it." example:"ana"`
	}
}

type reasonInput struct {
	HandoffInput
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Why, in a few words." example:"no budget"`
	}
}

type wonInput struct {
	HandoffInput
	Body struct {
		Amount float64 `json:"amount" minimum:"0" maximum:"1000000000000" doc:"What the deal is worth." example:"4900"`
	}
}

type handoffOutput struct{ Body sales.Handoff }

func (s *server) handoffRoutes() {
	access := anyOf(ScopeSales)
	handle(s, operation{id: "list-handoffs", method: http.MethodGet, path: "/v1/handoffs", tag: "sales", summary: "List handoffs",
		doc: "Newest first.", access: access}, s.listHandoffs)
	handle(s, operation{id: "find-handoff", method: http.MethodGet, path: "/v1/handoffs/{id}", tag: "sales", summary: "Read a handoff",
		access: access}, s.findHandoff)
	act := func(action, summary string) operation {
		return operation{id: action + "-handoff", method: http.MethodPost, path: "/v1/handoffs/{id}/" + action, tag: "sales", summary: summary,
			doc: "409 says why the handoff can't move on like this.", errors: []int{http.StatusConflict}, access: access}
	}
	handle(s, act(ActionAccept, "Take a handoff"), func(ctx context.Context, in *acceptInput) (*handoffOutput, error) {
		return s.decide(ctx, in.ID, ActionAccept, in.Body.Owner)
	})
	handle(s, act(ActionReject, "Give a contact back to marketing"), func(ctx context.Context, in *reasonInput) (*handoffOutput, error) {
		return s.decide(ctx, in.ID, ActionReject, in.Body.Reason)
	})
	handle(s, act(ActionWon, "Say that the deal is won"), func(ctx context.Context, in *wonInput) (*handoffOutput, error) {
		return s.decide(ctx, in.ID, ActionWon, in.Body.Amount)
	})
	handle(s, act(ActionLost, "Say that the deal is lost"), func(ctx context.Context, in *reasonInput) (*handoffOutput, error) {
		return s.decide(ctx, in.ID, ActionLost, in.Body.Reason)
	})
}

func (s *server) listHandoffs(ctx context.Context, in *HandoffsInput) (*listOutput[sales.Handoff], error) {
	cursor, _, err := in.numberCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Handoffs.ListHandoffs(ctx, sales.HandoffStatus(in.Status), cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list handoffs: %w", err)
	}
	return listOf(page), nil
}

func (s *server) findHandoff(ctx context.Context, in *HandoffInput) (*handoffOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	handoff, err := s.Handoffs.FindHandoff(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("find handoff: %w", err)
	}
	return &handoffOutput{Body: handoff}, nil
}

func (s *server) decide(ctx context.Context, handoffID, action string, value any) (*handoffOutput, error) {
	id, err := parseID(handoffID)
	if err != nil {
		return nil, err
	}
	handoff, err := s.Desk.Decide(ctx, id, action, value)
	if err != nil {
		return nil, fmt.Errorf("%s handoff: %w", action, err)
	}
	return &handoffOutput{Body: handoff}, nil
}

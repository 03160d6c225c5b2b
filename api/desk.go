package api

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/workflows"
)

// TemporalDesk takes a rep's decision to the handoff's workflow, as the update that the Temporal UI sends: one validator
// for both.
type TemporalDesk struct {
	Client   client.Client
	Handoffs Handoffs
}

// Decide sends the update and reads the handoff as it stands then.
func (d *TemporalDesk) Decide(ctx context.Context, handoffID, action string, value any) (sales.Handoff, error) {
	before, err := d.Handoffs.FindHandoff(ctx, handoffID)
	if err != nil {
		return sales.Handoff{}, err
	}
	if err := d.update(ctx, handoffID, action, value); err != nil {
		var gone *serviceerror.NotFound
		if errors.As(err, &gone) && before.Status.Final() {
			return sales.Handoff{}, fault.New(fault.Conflict, "handoff_over", "This handoff is over ("+string(before.Status)+"); nothing can be changed any more.")
		}
		return sales.Handoff{}, refusal(err)
	}
	return d.Handoffs.FindHandoff(ctx, handoffID)
}

func (d *TemporalDesk) update(ctx context.Context, handoffID, action string, value any) error {
	handle, err := d.Client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: workflows.HandoffID(handoffID), UpdateName: action, Args: []any{value},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, nil)
}

// refusal turns what the handoff said into what the client reads. A validator's sentence is written for people.
func refusal(err error) error {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		return fault.New(fault.Conflict, "refused", application.Message())
	}
	return fault.Wrap(fault.Unavailable, "handoff_unreachable", "The handoff cannot be reached right now; please try again.", fmt.Errorf("update handoff: %w", err))
}

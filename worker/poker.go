package worker

import (
	"context"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"throughline.dev/throughline/workflows"
)

// Poker wakes journeys.
type Poker struct {
	Client    client.Client
	TaskQueue string
}

// Poke wakes a contact's journey, and starts it when there is none yet. The signal carries nothing: what happened is read
// from Postgres.
func (p *Poker) Poke(ctx context.Context, contactID string) error {
	_, err := p.Client.SignalWithStartWorkflow(ctx, workflows.JourneyID(contactID), workflows.SignalPoke, nil,
		client.StartWorkflowOptions{
			TaskQueue:             p.TaskQueue,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		}, workflows.CustomerJourneyName, workflows.JourneyInput{ContactID: contactID})
	if err != nil {
		return fmt.Errorf("poke journey of contact %s: %w", contactID, err)
	}
	return nil
}

// PokeBroadcast wakes a broadcast, and starts its workflow when there is none yet. What is to be done is read from Postgres.
func (p *Poker) PokeBroadcast(ctx context.Context, broadcastID string) error {
	_, err := p.Client.SignalWithStartWorkflow(ctx, workflows.BroadcastID(broadcastID), workflows.SignalPoke, nil,
		client.StartWorkflowOptions{
			TaskQueue:             p.TaskQueue,
			WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
			StaticSummary:         "broadcast",
		}, workflows.BroadcastName, workflows.BroadcastInput{BroadcastID: broadcastID})
	if err != nil {
		return fmt.Errorf("poke broadcast %s: %w", broadcastID, err)
	}
	return nil
}

// Package worker registers the workflows and activities, and runs them. It also wakes journeys: the poker signals them, the
// sweeper finds those that nobody woke.
//
// It may import the sdk's worker and client, workflows and activities. It never imports api or the store.
package worker

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/workflows"
)

// Activities are the structs whose methods are the activities.
type Activities struct {
	Inbox      *activities.Inbox
	Steps      *activities.Steps
	Messages   *activities.Messages
	Sales      *activities.Sales
	Broadcasts *activities.Broadcasts
	Reviews    *activities.SubjectReviews
}

// Registry is what a worker and a replayer have in common.
type Registry interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
	RegisterActivityWithOptions(a any, options activity.RegisterOptions)
}

// Register registers everything under explicit names. The process and the replay tests both call it, so that what is
// replayed is what runs.
func Register(r Registry, a Activities) {
	RegisterWorkflows(r)
	for name, method := range map[string]any{
		"ReadInbox":       a.Inbox.ReadInbox,
		"SendEmail":       a.Messages.SendEmail,
		"AwaitDelivery":   a.Messages.AwaitDelivery,
		"GenerateSubject": a.Messages.GenerateSubject,
		"Decide":          a.Steps.Decide,
		"AssignVariant":   a.Steps.AssignVariant,
		"UpdateContact":   a.Steps.UpdateContact,
		"ScoreLead":       a.Steps.ScoreLead,
		"CallWebhook":     a.Steps.CallWebhook,
		"HandOff":         a.Sales.HandOff,
		"UpdateHandoff":   a.Sales.UpdateHandoff,

		"LookAtBroadcast":  a.Broadcasts.LookAtBroadcast,
		"ActOnBroadcast":   a.Broadcasts.ActOnBroadcast,
		"GatherRecipients": a.Broadcasts.GatherRecipients,
		"SendBroadcast":    a.Broadcasts.SendBroadcast,
		"JudgeBroadcast":   a.Broadcasts.JudgeBroadcast,
		"CloseBroadcast":   a.Broadcasts.CloseBroadcast,
		"WriteSubjects":    a.Reviews.WriteSubjects,
		"FailSubjects":     a.Reviews.FailSubjects,
		"DecideSubjects":   a.Reviews.DecideSubjects,
	} {
		r.RegisterActivityWithOptions(method, activity.RegisterOptions{Name: name})
	}
}

// WorkflowRegistry is the part that a replayer offers.
type WorkflowRegistry interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
}

// RegisterWorkflows registers the workflows alone: a replay runs no activity.
func RegisterWorkflows(r WorkflowRegistry) {
	r.RegisterWorkflowWithOptions(workflows.CustomerJourney, workflow.RegisterOptions{Name: workflows.CustomerJourneyName})
	r.RegisterWorkflowWithOptions(workflows.SalesHandoff, workflow.RegisterOptions{Name: workflows.SalesHandoffName})
	r.RegisterWorkflowWithOptions(workflows.Broadcast, workflow.RegisterOptions{Name: workflows.BroadcastName})
	r.RegisterWorkflowWithOptions(workflows.SubjectReview, workflow.RegisterOptions{Name: workflows.SubjectReviewName})
}

// stopTimeout lets running activities come to an end when the process is asked to stop.
const stopTimeout = 30 * time.Second

// New makes a worker on the task queue, with everything registered.
func New(c client.Client, taskQueue string, a Activities, onFatal func(error)) sdk.Worker {
	w := sdk.New(c, taskQueue, sdk.Options{
		OnFatalError:                onFatal,
		WorkerStopTimeout:           stopTimeout,
		DisableRegistrationAliasing: true,
		// A workflow task that finds a bug blocks its journey until the fix is deployed; it never fails it.
		WorkflowPanicPolicy: sdk.BlockWorkflow,
	})
	Register(w, a)
	return w
}

// Run runs a worker until the context ends, or until it can't go on: then it returns why.
func Run(ctx context.Context, c client.Client, taskQueue string, a Activities) error {
	fatal := make(chan error, 1)
	w := New(c, taskQueue, a, func(err error) {
		select {
		case fatal <- err:
		default:
		}
	})
	if err := w.Start(); err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	select {
	case <-ctx.Done():
		w.Stop()
		return nil
	case err := <-fatal:
		// The sdk has stopped the worker already.
		return fmt.Errorf("worker: %w", err)
	}
}

package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"throughline.dev/throughline/workflows"
)

// Reviewer starts the workflows that have subjects written, and sees by and by to what the sets need: those that nobody has started, because
// somebody died in between, and the clicks that have come.
type Reviewer struct {
	Client    client.Client
	TaskQueue string
	// Late are the sets that were wanted before a moment and are not there.
	Late func(ctx context.Context, before time.Time, limit int) ([]workflows.SubjectReviewInput, error)
	// Settle counts the clicks in mails of before a moment, and tells of how many mails.
	Settle func(ctx context.Context, before time.Time, limit int) (int, error)
	Every  time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	reviewLate  = time.Minute
	reviewBatch = 500
	// SubjectSettle is how old a mail is when it is judged: most of those who follow a link do so within a day.
	SubjectSettle = 24 * time.Hour
)

// Start starts the review of a set, unless it runs.
func (r *Reviewer) Start(ctx context.Context, in workflows.SubjectReviewInput) error {
	_, err := r.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: workflows.SubjectReviewID(in.Template, in.SetID), TaskQueue: r.TaskQueue,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		StaticSummary:         "Subjects of " + in.Template,
	}, workflows.SubjectReviewName, in)
	if running := new(serviceerror.WorkflowExecutionAlreadyStarted); errors.As(err, &running) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("start review of subjects %s: %w", in.SetID, err)
	}
	return nil
}

// Run looks until the context ends.
func (r *Reviewer) Run(ctx context.Context) {
	ticker := time.NewTicker(r.Every)
	defer ticker.Stop()
	for {
		if err := r.Turn(ctx); err != nil && ctx.Err() == nil {
			r.Log.Warn("subjects not looked after", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Turn looks once.
func (r *Reviewer) Turn(ctx context.Context) error {
	late, err := r.Late(ctx, r.Now().Add(-reviewLate), reviewBatch)
	if err != nil {
		return fmt.Errorf("find late subjects: %w", err)
	}
	for _, in := range late {
		if err := r.Start(ctx, in); err != nil {
			return err
		}
	}
	for n := reviewBatch; n == reviewBatch; {
		if n, err = r.Settle(ctx, r.Now().Add(-SubjectSettle), reviewBatch); err != nil {
			return fmt.Errorf("settle subjects: %w", err)
		}
	}
	return nil
}

package worker

import (
	"context"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// TemporalHistories deletes histories in a Temporal cluster.
type TemporalHistories struct {
	Client    client.Client
	Namespace string
}

// Delete deletes all runs of a workflow. Which there are, visibility tells, a moment late, and the cluster itself, about the newest alone:
// together they miss none for long.
func (h *TemporalHistories) Delete(ctx context.Context, workflowID string) (int, error) {
	runs := map[string]bool{}
	newest, err := h.Client.DescribeWorkflowExecution(ctx, workflowID, "")
	if err == nil {
		runs[newest.GetWorkflowExecutionInfo().GetExecution().GetRunId()] = true
	} else if !isGone(err) {
		return 0, fmt.Errorf("describe workflow %s: %w", workflowID, err)
	}
	var page []byte
	for {
		listed, err := h.Client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
			Namespace: h.Namespace, Query: fmt.Sprintf("WorkflowId = '%s'", workflowID), NextPageToken: page,
		})
		if err != nil {
			return 0, fmt.Errorf("list runs of workflow %s: %w", workflowID, err)
		}
		for _, info := range listed.GetExecutions() {
			runs[info.GetExecution().GetRunId()] = true
		}
		if page = listed.GetNextPageToken(); len(page) == 0 {
			break
		}
	}
	for run := range runs {
		_, err := h.Client.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{
			Namespace: h.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflowID, RunId: run},
		})
		if err != nil && !isGone(err) {
			return len(runs), fmt.Errorf("delete run of workflow %s: %w", workflowID, err)
		}
	}
	return len(runs), nil
}

func isGone(err error) bool {
	var notFound *serviceerror.NotFound
	return errors.As(err, &notFound)
}

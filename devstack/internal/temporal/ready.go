package temporal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// SearchAttributes are the product's (no prefix, no personal data): what a sales rep's saved view filters by.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		"LifecycleStage": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"LeadScore":      enumspb.INDEXED_VALUE_TYPE_INT,
		"HandoffStatus":  enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"Owner":          enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"DueAt":          enumspb.INDEXED_VALUE_TYPE_DATETIME,
		"Journeys":       enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST,
	}
}

// probeEvery is the pause between two looks at a server that is still starting.
const probeEvery = 50 * time.Millisecond

// awaitUsable returns once every service answers for the namespace. A frontend that serves says little:
// history, matching and visibility come up on their own, and each of the probes needs one of them.
func awaitUsable(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 60*time.Second, errors.New("the temporal server did not become usable in a minute"))
	defer cancel()
	conn, err := grpc.NewClient(hostPort(o.Port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("reach the temporal server: %w", err)
	}
	defer conn.Close()
	p := prober{
		workflows: workflowservice.NewWorkflowServiceClient(conn),
		operator:  operatorservice.NewOperatorServiceClient(conn),
		namespace: o.Namespace,
	}
	for _, step := range []struct {
		name  string
		probe func(context.Context) error
	}{
		{"namespace", p.describe}, {"search attributes", p.attributes},
		{"history", p.history}, {"matching", p.matching}, {"visibility", p.visibility},
	} {
		for {
			err := step.probe(ctx)
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for %s: %w (last answer: %w)", step.name, context.Cause(ctx), err)
			case <-time.After(probeEvery):
			}
		}
	}
	return nil
}

type prober struct {
	workflows workflowservice.WorkflowServiceClient
	operator  operatorservice.OperatorServiceClient
	namespace string
}

func (p prober) describe(ctx context.Context) error {
	_, err := p.workflows.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: p.namespace})
	return err
}

// attributes adds what a folder of an older stack lacks.
func (p prober) attributes(ctx context.Context) error {
	have, err := p.operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: p.namespace})
	if err != nil {
		return err
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range SearchAttributes() {
		if _, ok := have.GetCustomAttributes()[name]; !ok {
			missing[name] = kind
		}
	}
	if len(missing) == 0 {
		return nil
	}
	_, err = p.operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: p.namespace, SearchAttributes: missing,
	})
	if err != nil {
		return err
	}
	return fmt.Errorf("just added %v", slices.Sorted(maps.Keys(missing)))
}

func (p prober) history(ctx context.Context) error {
	_, err := p.workflows.DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{
		Namespace: p.namespace, Execution: &commonpb.WorkflowExecution{WorkflowId: "devstack-probe"},
	})
	err = serviceerror.FromStatus(status.Convert(err))
	if notFound := new(serviceerror.NotFound); errors.As(err, &notFound) {
		return nil
	}
	return err
}

func (p prober) matching(ctx context.Context) error {
	_, err := p.workflows.DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: p.namespace, TaskQueueType: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
		TaskQueue: &taskqueuepb.TaskQueue{Name: "devstack-probe"},
	})
	return err
}

// visibility filters by every search attribute: an attribute that the server does not know yet is an error.
func (p prober) visibility(ctx context.Context) error {
	_, err := p.workflows.ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: p.namespace, PageSize: 1,
		Query: `LifecycleStage = "x" OR LeadScore > 0 OR HandoffStatus = "x" OR Owner = "x" ` +
			`OR DueAt > "2020-01-01T00:00:00Z" OR Journeys = "x"`,
	})
	return err
}

package workflows

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"throughline.dev/throughline/activities"
)

// The states of lines that a person decides on, as the activities know them.
const (
	lineProposed = "proposed"
	lineApproved = "approved"
	lineRejected = "rejected"
)

const (
	reviewPatience = 30 * 24 * time.Hour // then what nobody has looked at is no more asked for
	modelPatience  = 40 * time.Second    // for one question
	modelTries     = 6
	maxNumbers     = 50
)

// SubjectReview has the subjects of a template written, out of the way of its mails, and, where that is wanted, lets a person decide in the
// Temporal UI (or by the API, which sends the same updates) which of them are sent. Until then the written subject goes out.
func SubjectReview(ctx workflow.Context, in SubjectReviewInput) (activities.SubjectReviewState, error) {
	r := &subjectReview{in: in}
	if err := r.setup(ctx); err != nil {
		return r.state, err
	}
	return r.run(ctx)
}

type subjectReview struct {
	in      SubjectReviewInput
	state   activities.SubjectReviewState
	working bool // a decision is being recorded: the next one waits for its end
}

func (r *subjectReview) setup(ctx workflow.Context) error {
	r.show(ctx)
	return errors.Join(
		r.handle(ctx, UpdateApproveSubjects, `Send these subjects. Their numbers, as 1 or [1, 3], or "all".`, lineApproved),
		r.handle(ctx, UpdateRejectSubjects, `Never send these subjects. Their numbers, as 2 or [2, 4], or "all".`, lineRejected),
	)
}

func (r *subjectReview) handle(ctx workflow.Context, name, description, state string) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name, func(ctx workflow.Context, which any) (activities.SubjectReviewState, error) {
		return r.decide(ctx, which, state)
	}, workflow.UpdateHandlerOptions{
		Description: description,
		Validator: func(_ workflow.Context, which any) error {
			_, err := r.numbers(which)
			return err
		},
	})
}

// decide records a decision, one at a time. Postgres has the last word; what it refuses is told to the person.
func (r *subjectReview) decide(ctx workflow.Context, which any, state string) (activities.SubjectReviewState, error) {
	if err := workflow.Await(ctx, func() bool { return !r.working }); err != nil {
		return r.state, err
	}
	numbers, err := r.numbers(which)
	if err != nil {
		return r.state, temporal.NewNonRetryableApplicationError(err.Error(), "conflict", nil)
	}
	r.working = true
	defer func() { r.working = false }()
	var reviews *activities.SubjectReviews
	in := activities.DecideSubjectsInput{SetID: r.in.SetID, Numbers: numbers, State: state}
	if err := perform(ctx, reviews.DecideSubjects, in, &r.state, state, nil); err != nil {
		return r.state, err
	}
	r.show(ctx)
	return r.state, nil
}

// numbers reads which candidates are meant: a number, a list of them, a text of them, or "all" that nobody has decided on.
func (r *subjectReview) numbers(which any) ([]int, error) {
	var asked []int
	switch which := which.(type) {
	case float64:
		asked = []int{whole(which)}
	case []any:
		for _, one := range which {
			number, ok := one.(float64)
			if !ok {
				return nil, errNumbers
			}
			asked = append(asked, whole(number))
		}
	case string:
		if strings.EqualFold(strings.TrimSpace(which), "all") {
			return r.open()
		}
		for _, one := range strings.FieldsFunc(which, func(r rune) bool { return r == ',' || r == ' ' }) {
			number, err := strconv.Atoi(one)
			if err != nil {
				return nil, errNumbers
			}
			asked = append(asked, number)
		}
	default:
		return nil, errNumbers
	}
	if len(asked) == 0 || len(asked) > maxNumbers {
		return nil, errNumbers
	}
	for _, number := range asked {
		if !slices.ContainsFunc(r.state.Candidates, func(c activities.SubjectCandidate) bool { return c.Number == number && c.State == lineProposed }) {
			return nil, fmt.Errorf("no. %d is not among those to decide on", number)
		}
	}
	return asked, nil
}

var errNumbers = errors.New(`please name the candidates: 1, or [1, 3], or "all"`)

func whole(number float64) int {
	if number != math.Trunc(number) || math.Abs(number) > math.MaxInt32 {
		return -1
	}
	return int(number)
}

func (r *subjectReview) open() ([]int, error) {
	var numbers []int
	for _, c := range r.state.Candidates {
		if c.State == lineProposed {
			numbers = append(numbers, c.Number)
		}
	}
	if len(numbers) == 0 {
		return nil, errors.New("there is nothing to decide on")
	}
	return numbers, nil
}

func (r *subjectReview) run(ctx workflow.Context) (activities.SubjectReviewState, error) {
	var reviews *activities.SubjectReviews
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: modelPatience,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 3, MaximumInterval: 10 * time.Minute, MaximumAttempts: modelTries},
		Summary:             "ask the model",
	}), reviews.WriteSubjects, activities.WriteSubjectsInput{SetID: r.in.SetID}).Get(ctx, &r.state)
	if err != nil {
		fail := activities.FailSubjectsInput{SetID: r.in.SetID, Reason: failed(err).Reason}
		err = perform(ctx, reviews.FailSubjects, fail, &r.state, "give up for now", nil)
		r.show(ctx)
		return r.state, err
	}
	r.show(ctx)
	if _, err := workflow.AwaitWithTimeout(ctx, reviewPatience, func() bool { return !r.working && r.decided() }); err != nil {
		return r.state, err
	}
	err = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	return r.state, err
}

func (r *subjectReview) decided() bool {
	_, err := r.open()
	return err != nil
}

// show puts the candidates on the workflow's page.
func (r *subjectReview) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, reviewCard(r.in, r.state))
}

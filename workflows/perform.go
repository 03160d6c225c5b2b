package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/journey"
)

const (
	localPatience = 5 * time.Second // what a local attempt may take; the transport's own patience is shorter
	// regularPatience is what a regular attempt may take. It is also how long the death of a worker goes unnoticed.
	regularPatience = 20 * time.Second
	subjectTries    = 3
)

// perform runs an effect, local first: as a local activity, so that many steps fit into one workflow task; what cannot
// finish there (a provider or a database that is down) goes on as a regular activity, its retries visible in the UI.
func perform(ctx workflow.Context, activity, in, out any, summary string, local *bool) error {
	if local != nil {
		*local = true
	}
	err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: localPatience,
		RetryPolicy:         &temporal.RetryPolicy{MaximumAttempts: 1},
		Summary:             summary,
	}), activity, in).Get(ctx, out)
	if local != nil {
		*local = false
	}
	if err == nil || !mayRetry(err) {
		return err
	}
	return workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: regularPatience,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: time.Minute},
		Summary:             summary,
	}), activity, in).Get(ctx, out)
}

// mayRetry tells whether another attempt could help. A cancellation and a refusal for good cannot be helped.
func mayRetry(err error) bool {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		return !application.NonRetryable()
	}
	return !temporal.IsCanceledError(err)
}

// advance performs steps until the enrollment pauses or ends, or its journey is paused: then the next look at the inbox says so too.
func (j *customerJourney) advance(ctx workflow.Context, h *hosted) {
	for h.State.Park == nil && h.State.End == nil {
		plan := j.plans[h.Hash]
		outcome, held := j.step(ctx, h, plan.Steps[h.State.Step])
		if held {
			return
		}
		h.State, _ = plan.Next(h.State, outcome, workflow.Now(ctx))
	}
}

// step performs the current step's effect, unless the journey is paused. An effect that can never be performed fails this enrollment and
// no other.
func (j *customerJourney) step(ctx workflow.Context, h *hosted, step journey.PlanStep) (outcome journey.Outcome, held bool) {
	in := activities.EffectInput{Ref: j.ref(h), TriggerEventID: h.TriggerEventID, Seq: h.State.Seq}
	var (
		steps    *activities.Steps
		messages *activities.Messages
		result   activities.EffectResult
		err      error
	)
	j.performed++
	summary := h.Journey + " · " + h.State.Step
	switch step.Kind {
	case journey.KindSend:
		if step.AISubject {
			j.generateSubject(ctx, h, in)
		}
		err = perform(ctx, messages.SendEmail, in, &result, summary, &h.local)
		if err == nil && result.Pending {
			result, err = j.awaitDelivery(ctx, in, summary)
		}
	case journey.KindBranch:
		err = perform(ctx, steps.Decide, in, &result, summary, &h.local)
	case journey.KindSplit:
		err = perform(ctx, steps.AssignVariant, in, &result, summary, &h.local)
	case journey.KindUpdate:
		err = perform(ctx, steps.UpdateContact, in, &result, summary, &h.local)
	case journey.KindScore:
		err = perform(ctx, steps.ScoreLead, in, &result, summary, &h.local)
	case journey.KindWebhook:
		err = perform(ctx, steps.CallWebhook, in, &result, summary, &h.local)
	case journey.KindHandoff:
		result.Held, err = j.handOff(ctx, h, in, summary)
		result.Outcome.Port = journey.PortParked
	case journey.KindWait, journey.KindWaitFor, journey.KindExit:
		return journey.Outcome{Failed: true, Reason: "impossible_step"}, false // Plan.Next parks or ends at these by itself
	default:
		return journey.Outcome{Failed: true, Reason: "unknown_kind"}, false
	}
	if err != nil {
		return failed(err), false
	}
	return result.Outcome, result.Held
}

func failed(err error) journey.Outcome {
	var application *temporal.ApplicationError
	if errors.As(err, &application) {
		return journey.Outcome{Failed: true, Reason: application.Type()}
	}
	return journey.Outcome{Failed: true, Reason: "internal"}
}

func (j *customerJourney) ref(h *hosted) activities.StepRef {
	return activities.StepRef{
		ContactID: j.contactID, EnrollmentID: h.EnrollmentID, Journey: h.Journey, Version: h.Version, Hash: h.Hash,
		Step: h.State.Step, Visit: h.State.Visit(),
	}
}

// generateSubject asks for a subject. Whatever happens, the send follows: without a generated one, with the written one.
func (j *customerJourney) generateSubject(ctx workflow.Context, h *hosted, in activities.EffectInput) {
	var messages *activities.Messages
	h.local = true
	err := workflow.ExecuteLocalActivity(workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout: localPatience, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}, Summary: "generate subject",
	}), messages.GenerateSubject, in).Get(ctx, nil)
	h.local = false
	if err == nil || !mayRetry(err) {
		return
	}
	err = workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 35 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumAttempts: subjectTries},
		Summary:             "generate subject",
	}), messages.GenerateSubject, in).Get(ctx, nil)
	if err != nil {
		workflow.GetLogger(ctx).Info("written subject used", "step", in.Ref.Step)
	}
}

// awaitDelivery is patient: a mail server that is slow or down for days costs time, not an unknown.
func (j *customerJourney) awaitDelivery(ctx workflow.Context, in activities.EffectInput, summary string) (activities.EffectResult, error) {
	var messages *activities.Messages
	var result activities.EffectResult
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 12 * time.Minute, // longer than the transport's last deadline
		HeartbeatTimeout:    30 * time.Second,
		RetryPolicy:         &temporal.RetryPolicy{InitialInterval: 5 * time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Minute},
		Summary:             summary + " · await delivery",
	}), messages.AwaitDelivery, in).Get(ctx, &result)
	return result, err
}

// handOff passes the contact to sales: a child workflow of its own, which lives on whatever becomes of this run. Its
// outcome comes back through the inbox, like everything else.
func (j *customerJourney) handOff(ctx workflow.Context, h *hosted, in activities.EffectInput, summary string) (held bool, err error) {
	var sales *activities.Sales
	var result activities.HandOffResult
	if err := perform(ctx, sales.HandOff, in, &result, summary, &h.local); err != nil || result.Done || result.Held {
		return result.Held, err
	}
	return false, startHandoff(ctx, result.Handoff)
}

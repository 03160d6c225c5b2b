package activities

import (
	"context"
	"fmt"
	"strconv"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/integration"
	"throughline.dev/throughline/internal/journey"
)

// Steps performs the effects that touch the contact alone: decisions, variants, traits and scores.
type Steps struct {
	Contacts Contacts
	Versions *Versions
	Webhooks WebhookCaller
	Secret   string // signs outbound webhooks
	Now      Clock
}

// decided is what a step's effect found out, to be recorded once.
type decided struct {
	outcome journey.Outcome
	reason  string
	detail  map[string]any
}

// once runs an effect under the contact's lock, unless it was recorded before: then it returns what was recorded.
func (a *Steps) once(ctx context.Context, ref StepRef, fn func(ctx context.Context, tx ContactTx, step *journey.Step) (decided, error)) (EffectResult, error) {
	step, err := a.Versions.step(ctx, ref)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	version, err := a.Versions.load(ctx, ref.Hash)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	var outcome journey.Outcome
	var held bool
	err = a.Contacts.InContact(ctx, ref.ContactID, func(ctx context.Context, tx ContactTx) error {
		if held = tx.Paused(ref.Journey) && step.Kind != journey.KindWebhook; held { // a webhook that was called is recorded
			return nil
		}
		d, err := fn(ctx, tx, step)
		if err != nil {
			return err
		}
		d.detail = withOutcome(d.detail, d.outcome)
		withNext(d.detail, version.plan, ref.Step, d.outcome)
		recorded, _, err := tx.RecordDecision(ctx, journey.Decision{
			EnrollmentID: ref.EnrollmentID, ContactID: ref.ContactID, Journey: ref.Journey, StepID: ref.Step,
			Visit: ref.Visit, Kind: string(step.Kind), Outcome: d.outcome.Name(), Reason: d.reason,
			Detail: d.detail, At: a.Now(),
		})
		outcome = recordedOutcome(recorded)
		return err
	})
	return EffectResult{Outcome: outcome, Held: held}, retryable(ctx, err)
}

// recorded tells whether a step's visit has been decided before: its effect must not happen again.
func recorded(ctx context.Context, tx ContactTx, ref StepRef, kind journey.Kind) (bool, error) {
	d, err := tx.Decision(ctx, ref.EnrollmentID, ref.Step, ref.Visit, string(kind))
	return d != nil, err
}

// Decide takes the first branch whose condition holds over the contact's facts at this moment.
func (a *Steps) Decide(ctx context.Context, in EffectInput) (EffectResult, error) {
	return a.once(ctx, in.Ref, func(ctx context.Context, tx ContactTx, step *journey.Step) (decided, error) {
		facts, err := factsFor(ctx, tx, in.TriggerEventID, a.Now())
		if err != nil {
			return decided{}, err
		}
		var looked []any
		for i, arm := range step.Branch {
			if arm.Else {
				break
			}
			verdict, err := a.Versions.holds(arm.When, facts)
			if err != nil {
				return decided{}, fmt.Errorf("condition %d: %w", i, err)
			}
			looked = append(looked, map[string]any{"when": arm.When, "holds": verdict.Holds, "terms": verdict.Terms, "note": verdict.Note})
			if verdict.Holds {
				return decided{outcome: journey.Outcome{Port: strconv.Itoa(i)}, detail: map[string]any{"conditions": looked}}, nil
			}
		}
		return decided{outcome: journey.Outcome{Port: journey.PortElse}, detail: map[string]any{"conditions": looked}}, nil
	})
}

// AssignVariant gives the contact its arm of a split: the one that it had, the winner, or one by a hash of journey, step and contact.
func (a *Steps) AssignVariant(ctx context.Context, in EffectInput) (EffectResult, error) {
	return a.once(ctx, in.Ref, func(ctx context.Context, tx ContactTx, _ *journey.Step) (decided, error) {
		given, err := assign(ctx, tx, a.Versions, in.Ref, a.Now())
		return decided{outcome: journey.Outcome{Port: strconv.Itoa(given.Arm)}, detail: given.Detail}, err
	})
}

// UpdateContact changes the contact's traits.
func (a *Steps) UpdateContact(ctx context.Context, in EffectInput) (EffectResult, error) {
	return a.once(ctx, in.Ref, func(ctx context.Context, tx ContactTx, step *journey.Step) (decided, error) {
		done, err := recorded(ctx, tx, in.Ref, step.Kind)
		if err != nil || done {
			return decided{}, err
		}
		if err := tx.UpdateContact(ctx, step.Update.Set, step.Update.Increment, a.Now()); err != nil {
			return decided{}, fmt.Errorf("update contact: %w", err)
		}
		return decided{
			outcome: journey.Outcome{Port: journey.PortNext},
			detail:  map[string]any{"set": step.Update.Set, "increment": step.Update.Increment},
		}, nil
	})
}

// ScoreLead adds points to the contact's score, with their reason.
func (a *Steps) ScoreLead(ctx context.Context, in EffectInput) (EffectResult, error) {
	return a.once(ctx, in.Ref, func(ctx context.Context, tx ContactTx, step *journey.Step) (decided, error) {
		after, _, err := tx.AddScore(ctx, step.Score.Add, step.Score.Reason, in.Ref.EnrollmentID, in.Ref.Step, in.Ref.Visit, a.Now())
		if err != nil {
			return decided{}, fmt.Errorf("add score: %w", err)
		}
		return decided{
			outcome: journey.Outcome{Port: journey.PortNext}, reason: step.Score.Reason,
			detail: map[string]any{"points": step.Score.Add, "score": after},
		}, nil
	})
}

// CallWebhook posts the step's webhook. The receiver dedupes by the webhook-id, which is the same on every attempt. A
// refusal for good does not stop the journey: it is recorded, and the contact goes on.
func (a *Steps) CallWebhook(ctx context.Context, in EffectInput) (EffectResult, error) {
	step, err := a.Versions.step(ctx, in.Ref)
	if err != nil {
		return EffectResult{}, retryable(ctx, err)
	}
	held, err := a.held(ctx, in.Ref)
	if err != nil || held {
		return EffectResult{Held: held}, retryable(ctx, err)
	}
	result, err := a.Webhooks.Call(ctx, integration.WebhookRequest{
		ID: stepID(messageSpace, in.Ref), URL: step.Webhook.URL, Secret: a.Secret,
		Payload: map[string]any{
			"type": step.Webhook.Event, "timestamp": a.Now().UTC(),
			"data": map[string]any{
				"contact_id": in.Ref.ContactID, "journey": in.Ref.Journey, "step_id": in.Ref.Step, "enrollment_id": in.Ref.EnrollmentID,
			},
		},
	})
	d := decided{outcome: journey.Outcome{Port: journey.PortNext}, detail: map[string]any{"status": result.Status}}
	if err != nil {
		if kind := fault.KindOf(err); kind == fault.Unavailable || kind == fault.Limited || kind == fault.Internal {
			return EffectResult{}, retryable(ctx, err)
		}
		d.reason = "refused"
		if f, ok := fault.As(err); ok {
			d.reason = f.Code
		}
	}
	return a.once(ctx, in.Ref, func(context.Context, ContactTx, *journey.Step) (decided, error) { return d, nil })
}

// held tells whether a step's journey is paused.
func (a *Steps) held(ctx context.Context, ref StepRef) (held bool, err error) {
	err = a.Contacts.InContact(ctx, ref.ContactID, func(_ context.Context, tx ContactTx) error {
		held = tx.Paused(ref.Journey)
		return nil
	})
	return held, err
}

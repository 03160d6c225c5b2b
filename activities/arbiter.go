package activities

import (
	"context"
	"fmt"
	"sync"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/journey"
)

const (
	// journalHeld is the kind of the decision that a mail waits.
	journalHeld = "held"
	// salesPatience is how long a mail waits for sales before it looks again. What ends a handoff wakes it at once; this is for the rest.
	salesPatience = 24 * time.Hour
)

// arbitrate judges whether a mail that nothing refuses may go out now. A contact's mails are judged one at a time, under its row lock, so
// that two journeys can't both take the last room that a cap leaves. It gives the outcome that stops the send, if any; a mail that is not
// to be sent at all has its reason in the message.
func (a *Messages) arbitrate(ctx context.Context, tx ContactTx, in EffectInput, d draft, m *email.Message) (*journey.Outcome, error) {
	send := d.step.Send
	wish := email.Wish{At: a.Now(), Topic: send.Topic, Zone: d.policy.Location(tx.Contact().Timezone)}
	policy := d.policy
	if m.Class == email.Transactional {
		policy = email.Policy{} // needed by the contact: only its author's own window counts
	}
	if send.Window != nil {
		wish.Windows = []audience.Hours{*send.Window}
	}
	if m.Reason = policy.Spares(tx.Contact().EmailReasons); m.Reason != "" {
		return nil, tx.ReleaseSend(ctx, in.Ref.EnrollmentID)
	}
	l, err := a.Versions.loaded(in.Ref.Hash)
	if err != nil {
		return nil, err
	}
	if m.Class != email.Transactional && l.def.DuringHandoff != journey.DuringHandoffSend {
		if with, err := tx.WithSales(ctx); err != nil {
			return nil, fmt.Errorf("find handoffs: %w", err)
		} else if with {
			return a.heldOrLeft(ctx, tx, in, d, m, email.Verdict{Reason: audience.ReasonWithSales, Until: wish.At.Add(salesPatience)})
		}
	}
	if len(policy.Caps) == 0 && policy.QuietHours == nil && send.Window == nil {
		return nil, nil //nolint:nilnil // no outcome: nothing rules it
	}
	if len(policy.Caps) > 0 {
		if wish.Sent, err = tx.CountedMail(ctx, wish.At.Add(-policy.Lookback())); err != nil {
			return nil, fmt.Errorf("count mails: %w", err)
		}
		if wish.Before, err = tx.HeldBefore(ctx, in.Ref.EnrollmentID, l.def.Priority); err != nil {
			return nil, fmt.Errorf("find held mails: %w", err)
		}
	}
	return a.heldOrLeft(ctx, tx, in, d, m, policy.Judge(wish))
}

// heldOrLeft does what the step says of a mail that may not go out now: it waits, or it is left out. One that may go out waits no more.
func (a *Messages) heldOrLeft(ctx context.Context, tx ContactTx, in EffectInput, d draft, m *email.Message, verdict email.Verdict) (*journey.Outcome, error) {
	send := d.step.Send
	if verdict.Reason == "" || verdict.Reason == audience.ReasonNeverAllowed || send.Otherwise == journey.OtherwiseSkip || send.Otherwise == journey.OtherwiseExit {
		m.Reason = verdict.Reason
		return nil, tx.ReleaseSend(ctx, in.Ref.EnrollmentID)
	}
	l, err := a.Versions.loaded(in.Ref.Hash)
	if err != nil {
		return nil, err
	}
	return a.hold(ctx, tx, in, send.Topic, l.def.Priority, verdict)
}

// hold lets the enrollment wait at its step, and says so in the journal.
func (a *Messages) hold(ctx context.Context, tx ContactTx, in EffectInput, topic string, priority int, verdict email.Verdict) (*journey.Outcome, error) {
	if err := tx.HoldSend(ctx, in.Ref.EnrollmentID, topic, priority, verdict); err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	_, _, err := tx.RecordDecision(ctx, journey.Decision{
		EnrollmentID: in.Ref.EnrollmentID, ContactID: in.Ref.ContactID, Journey: in.Ref.Journey, StepID: in.Ref.Step, Visit: in.Ref.Visit,
		Kind: journalHeld, Outcome: journalHeld, Reason: verdict.Reason, Detail: map[string]any{"until": verdict.Until.UTC().Format(time.RFC3339)}, At: a.Now(),
	})
	if err != nil {
		return nil, fmt.Errorf("record hold: %w", err)
	}
	return &journey.Outcome{Port: journey.PortHeld, At: &verdict.Until}, nil
}

// left is the outcome of a mail that was not sent because of caps or hours, where its step says that the contact leaves then.
func left(step *journey.Step, m email.Message) *journey.Outcome {
	if step.Send.Otherwise != journey.OtherwiseExit || m.State != email.Skipped || !email.IsHeld(m.Reason) {
		return nil
	}
	return &journey.Outcome{Exit: true, Reason: m.Reason}
}

// policyFor is how long a policy that was read is good for: whoever saves another one waits no longer for it to hold everywhere.
const policyFor = time.Second

// Policies remembers the sending policy for a moment, so that a rush of mails does not read it for each.
type Policies struct {
	Source PolicySource
	Now    Clock

	mu    sync.Mutex
	known email.Policy
	until time.Time
}

// PolicySource finds the sending policy.
type PolicySource interface {
	FindSendingPolicy(ctx context.Context) (email.PolicyVersion, error)
}

func (p *Policies) find(ctx context.Context) (email.Policy, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Now().Before(p.until) {
		return p.known, nil
	}
	found, err := p.Source.FindSendingPolicy(ctx)
	if err != nil {
		return email.Policy{}, fmt.Errorf("find sending policy: %w", err)
	}
	p.known, p.until = found.Document, p.Now().Add(policyFor)
	return p.known, nil
}

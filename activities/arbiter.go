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
	l, err := a.Versions.loaded(in.Ref.Hash)
	if err != nil {
		return nil, err
	}
	w := wish{at: d.now, policy: d.policy, topic: send.Topic, window: send.Window, enrollment: in.Ref.EnrollmentID, priority: l.def.Priority}
	if m.Class == email.Transactional {
		w.policy = email.Policy{Timezone: d.policy.Timezone} // needed by the contact: only its author's own window counts
	}
	if m.Reason = w.policy.Spares(tx.Contact().EmailReasons); m.Reason != "" {
		return nil, tx.ReleaseSend(ctx, in.Ref.EnrollmentID)
	}
	if m.Class != email.Transactional && l.def.DuringHandoff != journey.DuringHandoffSend {
		if with, err := tx.WithSales(ctx); err != nil {
			return nil, fmt.Errorf("find handoffs: %w", err)
		} else if with {
			return a.heldOrLeft(ctx, tx, in, d, m, email.Verdict{Reason: audience.ReasonWithSales, Until: a.Now().Add(salesPatience)})
		}
	}
	if !w.ruled() {
		return nil, nil //nolint:nilnil // no outcome: nothing rules it
	}
	verdict, err := a.judge(ctx, tx, w)
	if err != nil {
		return nil, err
	}
	return a.heldOrLeft(ctx, tx, in, d, m, verdict)
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

// wish is a mail that wants to go out, whoever sends it.
type wish struct {
	at         time.Time // zero: now
	policy     email.Policy
	topic      string
	window     *audience.Hours
	enrollment string // whose mail it is: it does not wait for itself
	priority   int
}

// ruled tells whether anything has a say in when it goes out.
func (w wish) ruled() bool {
	return len(w.policy.Caps) > 0 || w.policy.QuietHours != nil || w.window != nil
}

// judge decides by what the contact has had, and what waits, when a mail may go out.
func (a *Messages) judge(ctx context.Context, tx ContactTx, w wish) (email.Verdict, error) {
	if w.at.IsZero() {
		w.at = a.Now()
	}
	asked := email.Wish{At: w.at, Topic: w.topic, Zone: w.policy.Location(tx.Contact().Timezone)}
	if w.window != nil {
		asked.Windows = []audience.Hours{*w.window}
	}
	if len(w.policy.Caps) > 0 {
		var err error
		if asked.Sent, err = tx.CountedMail(ctx, asked.At.Add(-w.policy.Lookback())); err != nil {
			return email.Verdict{}, fmt.Errorf("count mails: %w", err)
		}
		if asked.Before, err = tx.HeldBefore(ctx, w.enrollment, w.priority); err != nil {
			return email.Verdict{}, fmt.Errorf("find held mails: %w", err)
		}
	}
	return w.policy.Judge(asked), nil
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

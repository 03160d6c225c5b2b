package activities

import (
	"context"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

const (
	cardEvents  = 8
	cardReasons = 8
)

// Sales performs the effects that pass a contact to a salesperson and take the outcome back.
type Sales struct {
	Contacts  Contacts
	Versions  *Versions
	PublicURL string
	Now       Clock
}

// HandOff writes the handoff and gathers the rep's card.
func (a *Sales) HandOff(ctx context.Context, in EffectInput) (HandOffResult, error) {
	step, err := a.Versions.step(ctx, in.Ref)
	if err != nil {
		return HandOffResult{}, retryable(ctx, err)
	}
	var result HandOffResult
	err = a.Contacts.InContact(ctx, in.Ref.ContactID, func(ctx context.Context, tx ContactTx) error {
		if tx.Paused(in.Ref.Journey) {
			result.Held = true
			return nil
		}
		contact, now := tx.Contact(), a.Now()
		h, _, err := tx.CreateHandoff(ctx, sales.Handoff{
			ID: HandoffID(in.Ref), ContactID: contact.ID, EnrollmentID: in.Ref.EnrollmentID, Journey: in.Ref.Journey,
			StepID: in.Ref.Step, Visit: in.Ref.Visit, Status: sales.HandoffOpen, Why: step.Handoff.Why,
			Score: contact.Score, Stage: contact.Stage, DueAt: due(step, now), CreatedAt: now, UpdatedAt: now,
		})
		if err != nil {
			return fmt.Errorf("create handoff: %w", err)
		}
		result = HandOffResult{Handoff: a.card(h), Done: h.Status.Final()}
		return fillCard(ctx, tx, &result.Handoff)
	})
	return result, retryable(ctx, err)
}

func due(step *journey.Step, now time.Time) *time.Time {
	if step.Handoff.Expires == nil {
		return nil
	}
	at := now.Add(step.Handoff.Expires.After)
	return &at
}

func (a *Sales) card(h sales.Handoff) HandoffCard {
	return HandoffCard{
		ID: h.ID, ContactID: h.ContactID, Journey: h.Journey, StepID: h.StepID, EnrollmentID: h.EnrollmentID, Why: h.Why,
		Score: h.Score, Stage: h.Stage, Status: h.Status, Link: a.PublicURL + "/contacts/" + h.ContactID,
		CreatedAt: h.CreatedAt, DueAt: h.DueAt,
	}
}

// fillCard adds what the contact did and where the points came from: names and numbers, nothing personal.
func fillCard(ctx context.Context, tx ContactTx, card *HandoffCard) error {
	events, err := tx.RecentEvents(ctx, cardEvents)
	if err != nil {
		return fmt.Errorf("read recent events: %w", err)
	}
	for _, e := range events {
		card.Recent = append(card.Recent, RecentEvent{Name: e.Name, At: e.OccurredAt})
	}
	reasons, err := tx.ScoreReasons(ctx, cardReasons)
	if err != nil {
		return fmt.Errorf("read score reasons: %w", err)
	}
	for _, s := range reasons {
		card.ScoreReasons = append(card.ScoreReasons, ScoreReason{Reason: s.Reason, Points: s.Points, At: s.At})
	}
	return nil
}

// UpdateHandoff records a rep's action. Postgres has the last word: an action on a handoff that is over is refused.
func (a *Sales) UpdateHandoff(ctx context.Context, in HandoffUpdate) (HandoffUpdated, error) {
	var result HandoffUpdated
	err := a.Contacts.InContact(ctx, in.ContactID, func(ctx context.Context, tx ContactTx) error {
		result.ContactID = tx.Contact().ID
		h, err := tx.Handoff(ctx, in.HandoffID)
		if err != nil {
			return fmt.Errorf("find handoff: %w", err)
		}
		if h.Status == in.Status && h.Owner == in.Owner {
			return nil // recorded by an attempt whose result was lost
		}
		if err := h.Status.CanBecome(in.Status); err != nil {
			return err
		}
		h.Status, h.Reason, h.Amount, h.UpdatedAt = in.Status, in.Reason, in.Amount, a.Now()
		if in.Owner != "" {
			h.Owner = in.Owner
		}
		if err := tx.UpdateHandoff(ctx, h); err != nil {
			return fmt.Errorf("update handoff: %w", err)
		}
		return a.after(ctx, tx, h)
	})
	return result, retryable(ctx, err)
}

// after writes what follows from a rep's action: the journal entry, the lifecycle stage, and the mark that the journey
// has something to read.
func (a *Sales) after(ctx context.Context, tx ContactTx, h sales.Handoff) error {
	detail := map[string]any{"handoff_id": h.ID, "owner": h.Owner, "visit": h.Visit}
	if h.Status == sales.HandoffWon {
		detail["amount"] = h.Amount
	}
	if _, _, err := tx.RecordDecision(ctx, journey.Decision{
		EnrollmentID: h.EnrollmentID, ContactID: h.ContactID, Journey: h.Journey, StepID: h.StepID, Visit: h.Visit,
		Kind: "handoff_" + string(h.Status), Outcome: string(h.Status), Reason: h.Reason, Detail: detail, At: a.Now(),
	}); err != nil {
		return fmt.Errorf("record handoff: %w", err)
	}
	if stage := h.Status.Stage(); stage != "" && sales.Forward(tx.Contact().Stage, stage) {
		if err := tx.SetStage(ctx, stage, "handoff_"+string(h.Status), a.Now()); err != nil {
			return fmt.Errorf("set stage: %w", err)
		}
	}
	if !h.Status.Final() {
		return nil
	}
	_, err := tx.MarkPending(ctx, a.Now())
	return err
}

// handoffResult is the outcome of the handoff that a pause waits for, if sales has decided.
func (r *reading) handoffResult(ctx context.Context, h Hosted) (*journey.HandoffResult, error) {
	if !h.State.Park.Handoff {
		return nil, nil //nolint:nilnil // this pause waits for no handoff
	}
	row, err := r.tx.Handoff(ctx, HandoffID(r.ref(h)))
	if err != nil {
		return nil, fmt.Errorf("find handoff: %w", err)
	}
	if !row.Status.Final() {
		return nil, nil //nolint:nilnil // sales has not decided yet
	}
	return &journey.HandoffResult{Port: string(row.Status), At: row.UpdatedAt}, nil
}

// closeHandoff takes a handoff back when something else than sales has ended its pause.
func (r *reading) closeHandoff(ctx context.Context, h Hosted, o journey.Outcome) error {
	if !h.State.Park.Handoff {
		return nil
	}
	row, err := r.tx.Handoff(ctx, HandoffID(r.ref(h)))
	if err != nil {
		return fmt.Errorf("find handoff: %w", err)
	}
	if row.Status.Final() {
		return nil
	}
	row.Status, row.UpdatedAt = sales.HandoffCancelled, r.now
	if o.Port == journey.PortExpired {
		row.Status = sales.HandoffExpired
	}
	if err := r.tx.UpdateHandoff(ctx, row); err != nil && fault.KindOf(err) != fault.Conflict {
		return fmt.Errorf("close handoff: %w", err)
	}
	return nil
}

// released lets a mail go now that has waited for sales, once sales has nothing open for the contact.
func (r *reading) released(ctx context.Context, h Hosted) (Hosted, error) {
	if h.State.Park == nil || !h.State.Park.Held {
		return h, nil
	}
	reason, err := r.tx.HoldReason(ctx, h.EnrollmentID)
	if err != nil || reason != audience.ReasonWithSales {
		return h, err
	}
	if with, err := r.tx.WithSales(ctx); err != nil || with {
		return h, err
	}
	park := *h.State.Park
	park.Deadline, h.State.Park = &r.now, &park
	return h, nil
}

func (r *reading) ref(h Hosted) StepRef {
	return StepRef{
		ContactID: r.in.ContactID, EnrollmentID: h.EnrollmentID, Journey: h.Journey, Version: h.Version, Hash: h.Hash,
		Step: h.State.Step, Visit: h.State.Visit(),
	}
}

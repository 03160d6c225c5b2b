package activities

import (
	"context"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/journey"
)

// passed records the waits that an enrollment has gone through at once, because their moment was past: the workflow passes them without
// asking anybody, and yet whoever counts or reads the journal wants to find every step there. Recorded are the visits after the last one
// that is: earlier looks have recorded the others.
func (r *reading) passed(ctx context.Context, h Hosted, plan *journey.Plan) error {
	for _, at := range plan.Passed(h.State) {
		first := at.Visit + 1
		for first > 1 {
			known, err := r.tx.Decision(ctx, h.EnrollmentID, at.Step, first-1, string(journey.KindWait))
			if err != nil {
				return fmt.Errorf("find decision: %w", err)
			}
			if known != nil {
				break
			}
			first--
		}
		for visit := first; visit <= at.Visit; visit++ {
			if err := r.recordPassage(ctx, h, plan, at, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// recordPassage writes an outcome that leads on and moves nothing else, as the passage did: who goes on from the journal gets the same state.
func (r *reading) recordPassage(ctx context.Context, h Hosted, plan *journey.Plan, at journey.Passage, visit int) error {
	outcome, detail := journey.Outcome{Port: journey.PortNext}, map[string]any{"deadline": at.Until.Format(time.RFC3339Nano)}
	withNext(detail, plan, at.Step, outcome)
	_, _, err := r.tx.RecordDecision(ctx, journey.Decision{
		EnrollmentID: h.EnrollmentID, ContactID: r.in.ContactID, Journey: h.Journey, StepID: at.Step, Visit: visit,
		Kind: string(journey.KindWait), Outcome: outcome.Name(), Detail: withOutcome(detail, outcome), At: r.now,
	})
	if err != nil {
		return fmt.Errorf("record passage: %w", err)
	}
	return nil
}

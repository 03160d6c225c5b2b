package activities

import (
	"context"
	"fmt"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

// merged is the last look of a contact's journey after the contact has become another one: what it hosted is adopted there, where it
// stands. Of what ended with the merge, sales is told here, because nobody else hosts it any more.
func (r *reading) merged(ctx context.Context) (ReadInboxResult, error) {
	r.result.Merged = true
	for _, h := range r.in.Hosted {
		l, err := r.inbox.Versions.loaded(h.Hash)
		if err != nil {
			return r.result, err
		}
		if err := r.passed(ctx, h, l.plan); err != nil {
			return r.result, fmt.Errorf("enrollment %s: %w", h.EnrollmentID, err)
		}
		if err := r.withdrawn(ctx, h); err != nil {
			return r.result, fmt.Errorf("enrollment %s: %w", h.EnrollmentID, err)
		}
	}
	return r.result, nil
}

// withdrawn notes the handoff at which an enrollment stood, if it was cancelled.
func (r *reading) withdrawn(ctx context.Context, h Hosted) error {
	row, err := r.tx.Handoff(ctx, HandoffID(r.ref(h)))
	if fault.KindOf(err) == fault.NotFound && err != nil {
		return nil // it stands at no handoff
	}
	if err != nil {
		return fmt.Errorf("find handoff: %w", err)
	}
	if row.Status == sales.HandoffCancelled {
		r.result.Withdrawn = append(r.result.Withdrawn, row.ID)
	}
	return nil
}

// stands tells where an enrollment that is adopted stands. One that this reading has made, or that nothing is recorded of, begins.
func (r *reading) stands(ctx context.Context, e journey.Enrollment, plan *journey.Plan, adopted *Adopted) (journey.State, error) {
	begin, _ := plan.Start(e.EnteredSeq, r.now)
	if r.created[e.ID] {
		return begin, nil
	}
	progress, err := r.tx.Progress(ctx, e.ID)
	if err != nil {
		return begin, fmt.Errorf("read progress of enrollment %s: %w", e.ID, err)
	}
	if len(progress.Records) == 0 && e.State != journey.Waiting {
		return begin, nil
	}
	state := plan.Replay(e, progress)
	adopted.State = &state
	return state, nil
}

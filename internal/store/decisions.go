package store

import (
	"context"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// RecordDecision writes an entry of the journal once: done before, it gives back what is recorded. An entry without an enrollment is
// always written.
func (tx *ContactTx) RecordDecision(ctx context.Context, d journey.Decision) (journey.Decision, bool, error) {
	enrollment, err := parseOptionalID(d.EnrollmentID)
	if err != nil {
		return journey.Decision{}, false, err
	}
	var detail []byte
	if d.Detail != nil {
		if detail, err = encodeObject(d.Detail); err != nil {
			return journey.Decision{}, false, err
		}
	}
	row, err := tx.q.InsertDecision(ctx, dbsqlc.InsertDecisionParams{
		EnrollmentID: enrollment, ContactID: tx.id, Journey: d.Journey, StepID: d.StepID, Visit: int32(d.Visit), Kind: d.Kind,
		Outcome: clean(d.Outcome), Reason: clean(d.Reason), Detail: detail, At: d.At,
	})
	if err == nil {
		recorded, err := decisionOf(row)
		return recorded, true, err
	}
	if !isNoRows(err) {
		return journey.Decision{}, false, failure("record decision", err)
	}
	earlier, err := tx.Decision(ctx, d.EnrollmentID, d.StepID, d.Visit, d.Kind)
	if err != nil {
		return journey.Decision{}, false, err
	}
	if earlier == nil {
		return journey.Decision{}, false, fault.New(fault.Conflict, "decision_exists", "This was decided for another contact.")
	}
	return *earlier, false, nil
}

// Decision finds a recorded one, or nil.
func (tx *ContactTx) Decision(ctx context.Context, enrollmentID, stepID string, visit int, kind string) (*journey.Decision, error) {
	enrollment, err := parseID(enrollmentID)
	if err != nil {
		return nil, nil //nolint:nilnil // no enrollment, no decision
	}
	row, err := tx.q.FindDecision(ctx, dbsqlc.FindDecisionParams{
		ContactID: tx.id, EnrollmentID: enrollment, StepID: stepID, Visit: int32(visit), Kind: kind,
	})
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // nothing found is an answer here
	}
	if err != nil {
		return nil, failure("find decision", err)
	}
	d, err := decisionOf(row)
	return &d, err
}

func decisionOf(row dbsqlc.Decision) (journey.Decision, error) {
	d := journey.Decision{
		EnrollmentID: optionalID(row.EnrollmentID), ContactID: row.ContactID.String(), Journey: row.Journey, StepID: row.StepID,
		Visit: int(row.Visit), Kind: row.Kind, Outcome: row.Outcome, Reason: row.Reason, At: row.At,
	}
	if row.Detail == nil {
		return d, nil
	}
	var err error
	d.Detail, err = decodeObject(row.Detail)
	return d, err
}

package store

import (
	"context"
	"strconv"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// CreateHandoff is idempotent, by id and by (enrollment, step, visit): done before, it gives back what is recorded.
func (tx *ContactTx) CreateHandoff(ctx context.Context, h sales.Handoff) (sales.Handoff, bool, error) {
	id, err := uuid.Parse(h.ID)
	if err != nil {
		return sales.Handoff{}, false, fault.New(fault.Invalid, "bad_id", "An id is not a UUID.")
	}
	enrollment, err := parseOptionalID(h.EnrollmentID)
	if err != nil {
		return sales.Handoff{}, false, err
	}
	row, err := tx.q.InsertHandoff(ctx, dbsqlc.InsertHandoffParams{
		ID: id, ContactID: tx.id, EnrollmentID: enrollment, Journey: h.Journey, StepID: h.StepID, Visit: int32(h.Visit),
		Status: string(h.Status), Why: clean(h.Why), Score: int32(h.Score), Stage: h.Stage, Owner: clean(h.Owner), Reason: clean(h.Reason),
		Amount: h.Amount, DueAt: h.DueAt, CreatedAt: h.CreatedAt, UpdatedAt: h.UpdatedAt,
	})
	if err == nil {
		return handoffOf(row), true, nil
	}
	if !isNoRows(err) {
		return sales.Handoff{}, false, failure("create handoff", err)
	}
	row, err = tx.q.FindContactHandoff(ctx, tx.id, id)
	if isNoRows(err) && enrollment != nil {
		row, err = tx.q.FindHandoffByStep(ctx, dbsqlc.FindHandoffByStepParams{
			ContactID: tx.id, EnrollmentID: *enrollment, StepID: h.StepID, Visit: int32(h.Visit),
		})
	}
	if err != nil {
		return sales.Handoff{}, false, handoffNotFound("find handoff", err)
	}
	return handoffOf(row), false, nil
}

// Handoff finds a handoff of the contact.
func (tx *ContactTx) Handoff(ctx context.Context, id string) (sales.Handoff, error) {
	parsed, err := parseID(id)
	if err != nil {
		return sales.Handoff{}, handoffNotFound("find handoff", err)
	}
	row, err := tx.q.FindContactHandoff(ctx, tx.id, parsed)
	if err != nil {
		return sales.Handoff{}, handoffNotFound("find handoff", err)
	}
	return handoffOf(row), nil
}

// UpdateHandoff writes status, owner, reason, amount and due time. The status moves forward only; one that is over stays as it ended.
func (tx *ContactTx) UpdateHandoff(ctx context.Context, h sales.Handoff) error {
	id, err := parseID(h.ID)
	if err != nil {
		return handoffNotFound("update handoff", err)
	}
	_, err = tx.q.UpdateHandoff(ctx, dbsqlc.UpdateHandoffParams{
		ContactID: tx.id, ID: id, Status: string(h.Status), Owner: clean(h.Owner), Reason: clean(h.Reason), Amount: h.Amount,
		DueAt: h.DueAt, UpdatedAt: h.UpdatedAt, FromStatuses: statusesBefore(h.Status),
	})
	if !isNoRows(err) {
		return failure("update handoff", err)
	}
	if _, err := tx.q.FindContactHandoff(ctx, tx.id, id); err != nil {
		return handoffNotFound("update handoff", err)
	}
	return fault.New(fault.Conflict, "handoff_over", "The status of this handoff does not allow that.")
}

// statusesBefore lists what a handoff may be before it gets a status. Open and accepted ones may also be given to somebody else.
func statusesBefore(next sales.HandoffStatus) []string {
	switch next {
	case sales.HandoffOpen, sales.HandoffRejected:
		return []string{string(sales.HandoffOpen)}
	case sales.HandoffAccepted, sales.HandoffExpired, sales.HandoffCancelled:
		return []string{string(sales.HandoffOpen), string(sales.HandoffAccepted)}
	case sales.HandoffWon, sales.HandoffLost:
		return []string{string(sales.HandoffAccepted)}
	}
	return []string{}
}

// FindHandoff finds a handoff by its id.
func (s *Store) FindHandoff(ctx context.Context, id string) (sales.Handoff, error) {
	parsed, err := parseID(id)
	if err != nil {
		return sales.Handoff{}, handoffNotFound("find handoff", err)
	}
	row, err := s.q.FindHandoff(ctx, parsed)
	if err != nil {
		return sales.Handoff{}, handoffNotFound("find handoff", err)
	}
	return handoffOf(row), nil
}

// ListHandoffs lists handoffs of a status (empty: all), the newest first.
func (s *Store) ListHandoffs(ctx context.Context, status sales.HandoffStatus, cursor string, limit int) (Page[sales.Handoff], error) {
	before, err := parseBefore(cursor, 64)
	if err != nil {
		return Page[sales.Handoff]{}, err
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListHandoffs(ctx, string(status), before, int32(limit+1))
	if err != nil {
		return Page[sales.Handoff]{}, failure("list handoffs", err)
	}
	convert := func(row dbsqlc.Handoff) (sales.Handoff, error) { return handoffOf(row), nil }
	return page(rows, limit, convert, func(row dbsqlc.Handoff) string { return strconv.FormatInt(row.JournalID, 10) })
}

func handoffOf(row dbsqlc.Handoff) sales.Handoff {
	return sales.Handoff{
		ID: row.ID.String(), ContactID: row.ContactID.String(), EnrollmentID: optionalID(row.EnrollmentID), Journey: row.Journey,
		StepID: row.StepID, Visit: int(row.Visit), Status: sales.HandoffStatus(row.Status), Why: row.Why, Score: int(row.Score),
		Stage: row.Stage, Owner: row.Owner, Reason: row.Reason, Amount: row.Amount, DueAt: row.DueAt, CreatedAt: row.CreatedAt,
		UpdatedAt: row.UpdatedAt,
	}
}

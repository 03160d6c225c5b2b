package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// OpenEnrollments lists the contact's enrollments that are not over, the oldest first.
func (tx *ContactTx) OpenEnrollments(ctx context.Context) ([]journey.Enrollment, error) {
	rows, err := tx.q.ListOpenEnrollments(ctx, tx.id)
	if err != nil {
		return nil, failure("list open enrollments", err)
	}
	out := make([]journey.Enrollment, len(rows))
	for i, row := range rows {
		out[i] = enrollmentOf(row)
	}
	return out, nil
}

// LastEnrollment is the contact's newest enrollment in a journey, or nil.
func (tx *ContactTx) LastEnrollment(ctx context.Context, journeyKey string) (*journey.Enrollment, error) {
	return optional(enrollmentOf, "find last enrollment")(tx.q.FindLastEnrollment(ctx, tx.id, journeyKey))
}

// CreateEnrollment is idempotent, by id and by (contact, journey, trigger event): done before, it gives back what is recorded.
func (tx *ContactTx) CreateEnrollment(ctx context.Context, e journey.Enrollment) (journey.Enrollment, bool, error) {
	id, err := uuid.Parse(e.ID)
	if err != nil {
		return journey.Enrollment{}, false, fault.New(fault.Invalid, "bad_id", "An id is not a UUID.")
	}
	trigger, err := parseOptionalID(e.TriggerEventID)
	if err != nil {
		return journey.Enrollment{}, false, err
	}
	row, err := tx.q.InsertEnrollment(ctx, dbsqlc.InsertEnrollmentParams{
		ID: id, ContactID: tx.id, Journey: e.Journey, Version: int32(e.Version), Hash: e.Hash, State: string(e.State), Step: e.Step,
		Reason: e.Reason, TriggerEventID: trigger, EnteredSeq: e.EnteredSeq, EnteredAt: e.EnteredAt, WakeAt: e.WakeAt, EndedAt: e.EndedAt,
	})
	if err == nil {
		return enrollmentOf(row), true, nil
	}
	if !isNoRows(err) {
		return journey.Enrollment{}, false, failure("create enrollment", err)
	}
	row, err = tx.q.FindEnrollment(ctx, tx.id, id)
	if isNoRows(err) && trigger != nil {
		row, err = tx.q.FindEnrollmentByTrigger(ctx, tx.id, e.Journey, *trigger)
	}
	if isNoRows(err) { // the id is taken by an enrollment of another contact
		return journey.Enrollment{}, false, fault.New(fault.Conflict, "enrollment_exists", "Another enrollment has this id.")
	}
	if err != nil {
		return journey.Enrollment{}, false, failure("find enrollment", err)
	}
	return enrollmentOf(row), false, nil
}

// UpdateEnrollment moves an enrollment. One that is over stays as it ended: ending it the same way again is fine, anything else is a
// Conflict. A wake-up time is kept for waiting enrollments only, an end for final states only.
func (tx *ContactTx) UpdateEnrollment(ctx context.Context, id string, state journey.EnrollmentState, step, reason string, wakeAt, endedAt *time.Time) error {
	parsed, err := parseID(id)
	if err != nil {
		return enrollmentNotFound(err)
	}
	if state != journey.Waiting {
		wakeAt = nil
	}
	if state.Final() != (endedAt != nil) {
		return fault.New(fault.Invalid, "bad_enrollment_end", "An enrollment has an end exactly when it is over.")
	}
	_, err = tx.q.UpdateEnrollment(ctx, dbsqlc.UpdateEnrollmentParams{
		ContactID: tx.id, ID: parsed, State: string(state), Step: step, Reason: clean(reason), WakeAt: wakeAt, EndedAt: endedAt,
	})
	if !isNoRows(err) {
		return failure("update enrollment", err)
	}
	row, err := tx.q.FindEnrollment(ctx, tx.id, parsed)
	if err != nil {
		return enrollmentNotFound(err)
	}
	if row.State == string(state) {
		return nil
	}
	return fault.New(fault.Conflict, "enrollment_over", "This enrollment is over.")
}

func enrollmentNotFound(err error) error {
	return notFound("update enrollment", "enrollment_not_found", "There is no such enrollment.", err)
}

// optional turns "no rows" into nil.
func optional[R, T any](convert func(R) T, op string) func(R, error) (*T, error) {
	return func(row R, err error) (*T, error) {
		if isNoRows(err) {
			return nil, nil //nolint:nilnil // nothing found is an answer here
		}
		if err != nil {
			return nil, failure(op, err)
		}
		out := convert(row)
		return &out, nil
	}
}

func enrollmentOf(row dbsqlc.Enrollment) journey.Enrollment {
	return journey.Enrollment{
		ID: row.ID.String(), ContactID: row.ContactID.String(), Journey: row.Journey, Version: int(row.Version), Hash: row.Hash,
		State: journey.EnrollmentState(row.State), Step: row.Step, Reason: row.Reason, TriggerEventID: optionalID(row.TriggerEventID),
		EnteredSeq: row.EnteredSeq, EnteredAt: row.EnteredAt, WakeAt: row.WakeAt, EndedAt: row.EndedAt,
	}
}

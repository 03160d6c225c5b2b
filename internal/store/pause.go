package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// maxPauses bounds the pauses that are told of one contact: the newest.
const maxPauses = 100

// PauseJourney stops a journey where it stands, and keeps when that was and who did it. Paused before, it stays paused since then. A journey
// that was never published is a Conflict.
func (s *Store) PauseJourney(ctx context.Context, key, by string, now time.Time) (journey.Draft, error) {
	var row dbsqlc.Journey
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		var err error
		if row, err = q.PauseJourney(ctx, now, key); err != nil {
			return err
		}
		return q.InsertPause(ctx, key, *row.PausedAt, clean(by))
	})
	if isNoRows(err) {
		if _, err := s.q.FindJourney(ctx, key); err != nil {
			return journey.Draft{}, journeyNotFound("find journey", err)
		}
		return journey.Draft{}, notPublished()
	}
	if err != nil {
		return journey.Draft{}, failure("pause journey", err)
	}
	return draftOf(row)
}

// ResumeJourney lets a paused journey go on. Those who stand in it are woken by ReleaseResumed; that this is to be done is part of the same
// commit. A journey that runs stays as it is.
func (s *Store) ResumeJourney(ctx context.Context, key, by string, now time.Time) (journey.Draft, error) {
	var row dbsqlc.Journey
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		var err error
		if row, err = q.ResumeJourney(ctx, now, key); err != nil {
			return err
		}
		return q.EndPause(ctx, now, clean(by), key)
	})
	if isNoRows(err) {
		row, err = s.q.FindJourney(ctx, key)
	}
	if err != nil {
		return journey.Draft{}, journeyNotFound("resume journey", err)
	}
	return draftOf(row)
}

// ContactPauses lists when journeys stood still while a contact was in them, in the order of time: of one journey, or (empty) of all.
func (s *Store) ContactPauses(ctx context.Context, contactID, journeyKey string) ([]journey.EnrollmentPause, error) {
	contact, err := s.reader(ctx, "list pauses", contactID)
	if err != nil {
		return nil, err
	}
	rows, err := s.q.ListContactPauses(ctx, contact.ID, clean(journeyKey), maxPauses)
	if err != nil {
		return nil, failure("list pauses", err)
	}
	slices.Reverse(rows)
	return converted(rows, func(row dbsqlc.ListContactPausesRow) journey.EnrollmentPause {
		return journey.EnrollmentPause{EnrollmentID: row.EnrollmentID.String(), Pause: journey.Pause{
			Journey: row.Journey, PausedAt: row.PausedAt, ResumedAt: row.ResumedAt, PausedBy: row.PausedBy, ResumedBy: row.ResumedBy,
		}}
	}), nil
}

// ReleaseResumed marks contacts pending that stand in a journey which was resumed, as many as the limit for each such journey, and gives
// their ids to be poked. None: there is nobody left to wake. A process that dies meanwhile wakes some of them twice, which does nothing.
//
// Nobody is missed: who found the journey paused held it by a share lock, so the resume has waited for it, and this list comes after.
func (s *Store) ReleaseResumed(ctx context.Context, now time.Time, limit int) ([]string, error) {
	journeys, err := s.q.ListReleasing(ctx)
	if err != nil {
		return nil, failure("list resumed journeys", err)
	}
	var woken []string
	for _, j := range journeys {
		ids, err := s.q.ListToRelease(ctx, j.Key, j.ReleaseAfter, int32(clampLimit(limit)))
		if err != nil {
			return woken, failure("list contacts to wake", err)
		}
		var upto *uuid.UUID
		if len(ids) == clampLimit(limit) {
			upto = &ids[len(ids)-1]
		}
		// The marks first and by themselves: a contact's lock is never waited for under the lock of a journey.
		if err := s.q.MarkContactsPending(ctx, now, ids); err != nil {
			return woken, failure("mark contacts pending", err)
		}
		if err := s.q.AdvanceRelease(ctx, dbsqlc.AdvanceReleaseParams{Key: j.Key, After: j.ReleaseAfter, ResumedAt: j.ResumedAt, Upto: upto}); err != nil {
			return woken, failure("advance release", err)
		}
		for _, id := range ids {
			woken = append(woken, id.String())
		}
	}
	return woken, nil
}

package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// Allowed decides whether a contact may enter a version, given its newest enrollment in that journey (nil: none); refusing, it names the
// reason by a stable code.
type Allowed = func(version journey.Version, last *journey.Enrollment) (bool, string)

// Enroll puts a contact into the live version of a journey because somebody asked for it, and marks the contact pending: its journey finds
// the enrollment when it is poked. The same idempotency key enrolls once; without a key every call does, if allowed. A refusal is written
// into the journal and comes back as a Conflict with the reason as its code.
func (s *Store) Enroll(ctx context.Context, contactID, journeyKey, idempotencyKey string, now time.Time, allowed Allowed) (journey.Enrollment, bool, error) {
	var (
		enrollment journey.Enrollment
		created    bool
		refused    error // to be told after the commit of the journal entry
	)
	err := s.InContact(ctx, contactID, func(ctx context.Context, tx *ContactTx) error {
		version, err := tx.liveVersion(ctx, journeyKey)
		if err != nil {
			return err
		}
		wanted := journey.Enrollment{
			ID: newID().String(), ContactID: contactID, Journey: journeyKey, Version: version.Number, Hash: version.Hash, State: journey.Active,
			TriggerEventID: triggerOfKey(idempotencyKey), EnteredSeq: tx.LastSeq(), EnteredAt: now,
		}
		if earlier, err := tx.enrolledBy(ctx, wanted); err != nil || earlier != nil {
			if earlier != nil {
				enrollment = *earlier
			}
			return err
		}
		last, err := tx.LastEnrollment(ctx, journeyKey)
		if err != nil {
			return err
		}
		if ok, reason := allowed(version, last); !ok {
			refused = fault.New(fault.Conflict, reason, "The journey's rules do not let this contact enter now.")
			return tx.recordRefusal(ctx, wanted, reason, now)
		}
		if enrollment, created, err = tx.CreateEnrollment(ctx, wanted); err != nil {
			return err
		}
		_, err = tx.MarkPending(ctx, now)
		return err
	})
	return enrollment, created, errors.Join(err, refused)
}

func (tx *ContactTx) liveVersion(ctx context.Context, key string) (journey.Version, error) {
	j, err := tx.q.FindJourney(ctx, key)
	if err != nil {
		return journey.Version{}, journeyNotFound("find journey", err)
	}
	if j.LiveVersion == nil {
		return journey.Version{}, notPublished()
	}
	row, err := tx.q.FindVersion(ctx, key, *j.LiveVersion)
	if err != nil {
		return journey.Version{}, versionNotFound("find live version", err)
	}
	return versionOf(row), nil
}

func notPublished() error {
	return fault.New(fault.Conflict, "not_published", "This journey has not been published yet.")
}

func (tx *ContactTx) enrolledBy(ctx context.Context, wanted journey.Enrollment) (*journey.Enrollment, error) {
	if wanted.TriggerEventID == "" {
		return nil, nil //nolint:nilnil // without a key nothing came before
	}
	trigger, err := uuid.Parse(wanted.TriggerEventID)
	if err != nil {
		return nil, err
	}
	return optional(enrollmentOf, "find enrollment")(tx.q.FindEnrollmentByTrigger(ctx, tx.id, wanted.Journey, trigger))
}

func (tx *ContactTx) recordRefusal(ctx context.Context, wanted journey.Enrollment, reason string, now time.Time) error {
	_, _, err := tx.RecordDecision(ctx, journey.Decision{
		ContactID: wanted.ContactID, Journey: wanted.Journey, Kind: "not_entered", Outcome: "not_entered", Reason: reason,
		Detail: map[string]any{"version": wanted.Version, "by": "api"}, At: now,
	})
	return err
}

// triggerOfKey makes the id that stands for an idempotency key where an event's id would stand.
func triggerOfKey(key string) string {
	if key == "" {
		return ""
	}
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("throughline/enroll/"+key)).String()
}

// newID makes an id that grows with time: rows that are made together lie together in the indexes.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

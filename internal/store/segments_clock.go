package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// lockClock is the class of the advisory lock that lets one worker at a time look for what is due.
const lockClock int32 = 8

// The steps of the clock job: small, so that nobody waits long for a contact's lock.
const (
	dropStep   = 1000 // contacts that leave a deleted segment at once
	postponeBy = time.Minute
	// How long one step waits for transactions that began under the rules of before, and how often it looks.
	outlivePatience = 100 * time.Millisecond
	outliveEvery    = 5 * time.Millisecond
)

// RefreshDue judges contacts of which time alone may have changed something, the most overdue first, and tells how many they were. 0: there
// is nothing to do, or another worker is at it.
func (s *Store) RefreshDue(ctx context.Context, now time.Time, limit int) (int, error) {
	judged := 0
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		free, err := q.TryLockClock(ctx, lockClock)
		if err != nil || !free {
			return err
		}
		ids, err := q.ListDueContacts(ctx, now, int32(clampLimit(limit)))
		if err != nil {
			return err
		}
		judged = len(ids)
		return s.refreshEach(ctx, now, ids)
	})
	return judged, failure("judge contacts that are due", err)
}

// refreshEach refreshes contacts together; should that fail, one by one, so that one that can't be judged keeps nobody else from it: it
// is tried again later.
func (s *Store) refreshEach(ctx context.Context, now time.Time, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	if err := s.Refresh(ctx, now, ids); err != nil {
		if passes(ctx, err) {
			return err
		}
		for _, id := range ids {
			if err := s.refreshOne(ctx, now, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) refreshOne(ctx context.Context, now time.Time, id uuid.UUID) error {
	err := s.Refresh(ctx, now, []uuid.UUID{id})
	if err == nil || passes(ctx, err) {
		return err
	}
	return failure("postpone a contact", s.q.PostponeRecheck(ctx, now.Add(postponeBy), id))
}

// passes tells whether an error has nothing to do with the contact: the database is away, or we are asked to stop.
func passes(ctx context.Context, err error) bool {
	return ctx.Err() != nil || fault.KindOf(err) == fault.Unavailable
}

// ClockLag is how late the most overdue contact is, or 0.
func (s *Store) ClockLag(ctx context.Context, now time.Time) (time.Duration, error) {
	oldest, err := s.q.OldestRecheck(ctx)
	if isNoRows(err) || err == nil && oldest == nil {
		return 0, nil
	}
	if err != nil {
		return 0, failure("find the most overdue contact", err)
	}
	return max(now.Sub(*oldest), 0), nil
}

// Walk brings the next contacts, in the order of ids, up to the rules, and tells whether everybody is there. Who was there when a segment
// was saved enters and leaves it silently; after the walk, entering and leaving is noted. The walk goes on where it was cut off, by
// whichever worker, and begins anew when the rules change under way. true: everybody is there, or another worker is walking.
func (s *Store) Walk(ctx context.Context, now time.Time, chunk int) (bool, error) {
	done := true
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		// The lock keeps the rules from changing while this step is under way.
		walk, err := q.LockWalk(ctx)
		if isNoRows(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if walk.Walked >= walk.Revision {
			return nil
		}
		done, err = s.walkOn(ctx, q, walk.WalkedTo, now, clampLimit(chunk))
		return err
	})
	return done, failure("walk", err)
}

func (s *Store) walkOn(ctx context.Context, q *dbsqlc.Queries, from *uuid.UUID, now time.Time, chunk int) (bool, error) {
	if from == nil {
		if alone, err := s.outlive(ctx, q); err != nil || !alone {
			return false, err
		}
		if err := s.dropDeleted(ctx, q); err != nil {
			return false, err
		}
		from = &uuid.UUID{}
	}
	ids, err := q.ListContactsToWalk(ctx, *from, int32(chunk))
	if err != nil {
		return false, err
	}
	if err := s.refreshEach(ctx, now, ids); err != nil {
		return false, err
	}
	if len(ids) == chunk {
		return false, q.KeepWalk(ctx, ids[len(ids)-1])
	}
	if err := q.SetSegmentsFilled(ctx, now); err != nil {
		return false, err
	}
	return true, q.EndWalk(ctx)
}

// olderTransactions asks for transactions that began before a moment and may still write by the rules of before. Those without a number have
// written nothing yet; ours don't stay so for long, and others that do (a backup) never write. It stands here because sqlc does not know the view.
const olderTransactions = `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
	WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> $1 AND pid <> pg_backend_pid() AND xact_start < $2::timestamptz
		AND xact_start > $2 - CASE WHEN backend_xid IS NULL THEN interval '1 minute' ELSE interval '10 minutes' END)`

// outlive waits until no transaction is left that began before now: it may have read the rules of before, and make a contact by them that a
// walk would pass by. It tells whether that is so; if not, the walk begins with a later step.
func (s *Store) outlive(ctx context.Context, q *dbsqlc.Queries) (bool, error) {
	self, err := q.BackendNow(ctx)
	if err != nil {
		return false, err
	}
	deadline := time.NewTimer(outlivePatience)
	defer deadline.Stop()
	for {
		// Outside of the transaction, which would see the same activity for ever.
		var older bool
		if err := s.pool.QueryRow(ctx, olderTransactions, self.Pid, self.Now).Scan(&older); err != nil || !older {
			return err == nil, err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-deadline.C:
			return false, nil
		case <-time.After(outliveEvery):
		}
	}
}

// dropDeleted lets the members of deleted segments leave, and then forgets the segments.
func (s *Store) dropDeleted(ctx context.Context, q *dbsqlc.Queries) error {
	keys, err := q.ListDeletedSegments(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		for gone := false; !gone; {
			if gone, err = s.dropSome(ctx, key); err != nil {
				return fmt.Errorf("drop segment %s: %w", key, err)
			}
		}
	}
	return nil
}

// dropSome lets some members leave; when there are none left, the segment goes, and it tells so.
func (s *Store) dropSome(ctx context.Context, key string) (gone bool, err error) {
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		ids, err := q.LockMembers(ctx, key, dropStep)
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			if err := q.DropSegmentFromContacts(ctx, key, ids); err != nil {
				return err
			}
			return q.DropMembers(ctx, key, ids)
		}
		// Waits for those who are just entering by the rules of before; they are members then, and leave in another step.
		if _, err := q.LockSegment(ctx, key); err != nil {
			return err
		}
		if members, err := q.CountSegmentMembers(ctx, key); err != nil || members > 0 {
			return err
		}
		gone = true
		return q.DropSegment(ctx, key)
	})
	return gone, err
}

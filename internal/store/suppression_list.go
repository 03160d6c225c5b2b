package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// ListSuppressions lists the addresses that are never written to, of a reason or (empty) of all, the newest first. Those of people who asked
// to be forgotten are not among them: nobody can read these.
func (s *Store) ListSuppressions(ctx context.Context, reason, cursor string, limit int) (Page[audience.SuppressedAddress], error) {
	before, err := parseBefore(cursor, 64)
	if err != nil {
		return Page[audience.SuppressedAddress]{}, err
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListSuppressions(ctx, reason, before, int32(limit+1))
	if err != nil {
		return Page[audience.SuppressedAddress]{}, failure("list suppressions", err)
	}
	convert := func(row dbsqlc.Suppression) (audience.SuppressedAddress, error) {
		return audience.SuppressedAddress{Suppression: audience.Suppression{Reason: row.Reason, At: row.At}, Address: row.EmailKey, AddedBy: row.AddedBy}, nil
	}
	return page(rows, limit, convert, func(row dbsqlc.Suppression) string { return strconv.FormatInt(row.ID, 10) })
}

// SuppressAll puts addresses on the list and tells how many were not on it. Like Suppress it waits for the transactions that have just found
// one of them free. What is suppressed already keeps its reason, and one that was erased is not written down again.
func (s *Store) SuppressAll(ctx context.Context, addresses []string, reason, by string, now time.Time) (added int, err error) {
	keys := make([]string, len(addresses))
	for i, a := range addresses {
		keys[i] = EmailKey(a)
	}
	slices.Sort(keys) // in one order, so that two who add the same don't wait for each other in a circle
	keys = slices.Compact(keys)
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		added = 0
		for _, key := range keys {
			if err := q.LockAddress(ctx, lockAddresses, key); err != nil {
				return err
			}
			if _, is, err := suppressed(ctx, q, key); err != nil || is {
				if err != nil {
					return err
				}
				continue
			}
			n, err := q.AddSuppression(ctx, dbsqlc.AddSuppressionParams{EmailKey: key, Reason: reason, At: now, AddedBy: clean(by)})
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	})
	return added, failure("suppress addresses", err)
}

// Unsuppress takes an address off the list. A complaint stands: who called a mail spam is not asked again by a click of somebody else.
func (s *Store) Unsuppress(ctx context.Context, address string) error {
	key := EmailKey(address)
	return s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if err := q.LockAddress(ctx, lockAddresses, key); err != nil {
			return failure("lock address", err)
		}
		row, err := q.FindSuppression(ctx, key)
		if isNoRows(err) {
			return fault.New(fault.NotFound, "not_suppressed", "The address is not on the list.")
		}
		if err != nil {
			return failure("find suppression", err)
		}
		if row.Reason == email.SuppressComplaint {
			return fault.New(fault.Conflict, "complained", "The address stays on the list: its owner has complained about a mail.")
		}
		_, err = q.RemoveSuppression(ctx, key)
		return failure("remove suppression", err)
	})
}

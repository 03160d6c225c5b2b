package store

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// The id of a merged contact leads to the one that is left: for whoever reads, and for what the merged contact's journey had still under
// way when it ended.

// maxFollows bounds how often a survivor may become another one while its lock is waited for.
const maxFollows = 10

// lockFollowing locks a contact, or the one that it was merged into. Then the transaction's event numbers are those of the merged one
// (see ContactTx.EventsAfter).
func (s *Store) lockFollowing(ctx context.Context, conn *pgxpool.Conn, id uuid.UUID) (*ContactTx, error) {
	tx, err := s.lockContact(ctx, conn, id)
	for range maxFollows {
		if !errors.Is(err, pgx.ErrNoRows) {
			return tx, err
		}
		q := dbsqlc.New(conn)
		merged, lookErr := q.FindMerge(ctx, id)
		if lookErr != nil {
			return nil, lookErr // also when it is no merged contact either
		}
		if _, err := conn.Exec(ctx, "rollback"); err != nil {
			return nil, err
		}
		if tx, err = s.lockContact(ctx, conn, merged.IntoID); err != nil {
			continue
		}
		// Under the lock of the one that is left, the pointer and its shift stay what they are.
		if merged, err = q.FindMerge(ctx, id); err != nil {
			return nil, err
		}
		if merged.IntoID == tx.id {
			tx.shift = merged.Shift
			return tx, nil
		}
		err = pgx.ErrNoRows
	}
	return nil, err
}

// findFollowing reads a contact, or the one that it was merged into.
func findFollowing(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID) (dbsqlc.Contact, error) {
	row, err := q.FindContact(ctx, id)
	if isNoRows(err) {
		return q.FindSurvivor(ctx, id)
	}
	return row, err
}

// followNamed makes items that name a merged contact name the one that is left. It tells whether there were any.
func (s *Store) followNamed(ctx context.Context, items []item) (bool, error) {
	followed := false
	for i := range items {
		if items[i].contact == nil {
			continue
		}
		merged, err := s.q.FindMerge(ctx, *items[i].contact)
		if isNoRows(err) {
			continue
		}
		if err != nil {
			return false, failure("follow merged contact", err)
		}
		items[i].contact, followed = &merged.IntoID, true
	}
	return followed, nil
}

func isContactNotFound(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Code == "contact_not_found"
}

// shifted gives events the numbers that the contact's journal had for whom this transaction was opened.
func (tx *ContactTx) shifted(events []audience.Event) []audience.Event {
	if tx.shift != 0 {
		for i := range events {
			events[i].Seq -= tx.shift
		}
	}
	return events
}

func encodeState(state sales.ScoreState) ([]byte, error) { return json.Marshal(state) }

package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// staleAfter is how old a pending mark may be before an event pokes again: a poke that was made should have been answered by then.
const staleAfter = 10 * time.Second

// ContactTx is a transaction that holds a contact's row lock: what it reads about the contact stays true, and what it writes happens
// between two events of the contact. It ends with the function that it was given to; it must not be used by several goroutines, and no
// other method of the store may be called meanwhile (it would take a second connection out of the same pool).
type ContactTx struct {
	q       *dbsqlc.Queries
	conn    *pgxpool.Conn
	id      uuid.UUID
	row     dbsqlc.Contact
	contact audience.Contact
	company map[string]any
	rules   *rules
	paused  []string
	woken   bool // the journey has something to read that was not there before
	ahead   prepared
	shift   int64 // opened by the id of a merged contact: what its events' numbers have grown by
}

// InContact runs fn under the contact's row lock and commits what it wrote, or nothing when it returns an error. A contact that does not
// exist is NotFound; of one that was merged, it is the one that is left.
func (s *Store) InContact(ctx context.Context, contactID string, fn func(ctx context.Context, tx *ContactTx) error) error {
	id, err := parseID(contactID)
	if err != nil {
		return contactNotFound("lock contact", err)
	}
	var woken string
	err = s.onConnection(ctx, "lock contact", func(conn *pgxpool.Conn) error {
		tx, err := s.lockFollowing(ctx, conn, id)
		if err != nil {
			return contactNotFound("lock contact", err)
		}
		if err := fn(ctx, tx); err != nil {
			return err
		}
		if tx.woken {
			woken = tx.id.String()
		}
		return failure("commit", commit(ctx, conn))
	})
	if err == nil && woken != "" && s.wake != nil {
		s.wake(woken)
	}
	return err
}

// lockContact begins the transaction, takes the lock, and reads the contact, its company and the rules, in one round trip.
func (s *Store) lockContact(ctx context.Context, conn *pgxpool.Conn, id uuid.UUID) (*ContactTx, error) {
	var (
		rows      []dbsqlc.Contact
		companies []dbsqlc.LockedCompanyRow
		revision  int64
		paused    []string
	)
	batch := &pgx.Batch{}
	batch.Queue("begin")
	batch.Queue(dbsqlc.LockContact, id).Query(rowsInto(&rows))
	batch.Queue(dbsqlc.LockedCompany, id).Query(rowsInto(&companies))
	batch.Queue(dbsqlc.RulesRevision).QueryRow(func(row pgx.Row) error { return row.Scan(&revision) })
	batch.Queue(dbsqlc.PausedJourneys).Query(func(rows pgx.Rows) (err error) {
		paused, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err := send(ctx, conn, batch); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, pgx.ErrNoRows
	}
	tx := &ContactTx{q: dbsqlc.New(conn), conn: conn, id: id, company: map[string]any{}, paused: paused}
	var err error
	if tx.rules, err = s.liveRules(ctx, tx.q, revision); err != nil {
		return nil, err
	}
	if len(companies) > 0 {
		traits, err := decodeObject(companies[0].Traits)
		if err != nil {
			return nil, err
		}
		tx.company = companyFields(companies[0].GroupID, traits, companies[0].Score)
	}
	return tx, tx.remember(rows[0])
}

func (tx *ContactTx) remember(row dbsqlc.Contact) error {
	contact, err := contactOf(row)
	if err != nil {
		return err
	}
	tx.row, tx.contact = row, contact
	return nil
}

// Contact is the contact as this transaction has left it.
func (tx *ContactTx) Contact() audience.Contact { return tx.contact }

// Paused tells whether a journey is paused. It stays so, or not so, until the transaction ends.
func (tx *ContactTx) Paused(journeyKey string) bool { return slices.Contains(tx.paused, journeyKey) }

// LastSeq is the number of the contact's newest event.
func (tx *ContactTx) LastSeq() int64 { return tx.row.LastSeq }

// TriggerSeq is how far the contact's journey has read events for triggers.
func (tx *ContactTx) TriggerSeq() int64 { return tx.row.TriggerSeq }

// Pending tells whether the contact's journey has something to read.
func (tx *ContactTx) Pending() bool { return tx.row.PendingSince != nil }

// Park writes what the contact's journey waits for and how far it has read events for triggers, and clears the pending mark: from now on,
// an event of these names pokes.
func (tx *ContactTx) Park(ctx context.Context, interests []string, triggerSeq int64) error {
	names := slices.Clone(interests)
	for i := range names {
		names[i] = clean(names[i])
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if names == nil {
		names = []string{}
	}
	if err := tx.q.ParkContact(ctx, names, triggerSeq, tx.id); err != nil {
		return failure("park contact", err)
	}
	tx.row.Interests, tx.row.TriggerSeq, tx.row.PendingSince = names, max(tx.row.TriggerSeq, triggerSeq), nil
	return nil
}

// MarkPending says that the contact's journey has something to read. It tells whether a poke is due: it was not pending before, or has
// been for so long that a poke may have been lost.
func (tx *ContactTx) MarkPending(ctx context.Context, now time.Time) (bool, error) {
	if !pokeDue(tx.row.PendingSince, now) {
		return false, nil
	}
	if err := tx.q.MarkContactPending(ctx, now, tx.id); err != nil {
		return false, failure("mark contact pending", err)
	}
	tx.row.PendingSince = &now
	return true, nil
}

func pokeDue(pendingSince *time.Time, now time.Time) bool {
	return pendingSince == nil || stale(pendingSince, now)
}

func stale(pendingSince *time.Time, now time.Time) bool {
	return pendingSince != nil && now.Sub(*pendingSince) > staleAfter
}

// StalePending lists contacts that have been pending for longer than a time, the longest first: the sweeper pokes them again.
func (s *Store) StalePending(ctx context.Context, now time.Time, olderThan time.Duration, limit int) ([]string, error) {
	ids, err := s.q.ListStalePending(ctx, now.Add(-olderThan), int32(clampLimit(limit)))
	if err != nil {
		return nil, failure("list stale pending contacts", err)
	}
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out, nil
}

func contactOf(row dbsqlc.Contact) (audience.Contact, error) {
	traits, err := decodeObject(row.Traits)
	if err != nil {
		return audience.Contact{}, fmt.Errorf("contact %s: %w", row.ID, err)
	}
	c := audience.Contact{
		ID: row.ID.String(), UserID: fromNullable(row.UserID), Email: fromNullable(row.Email), Traits: traits,
		Timezone: fromNullable(row.Timezone), Locale: fromNullable(row.Locale), Stage: row.Stage, Score: int(row.Score),
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
		EmailVerdict: row.EmailVerdict, EmailReasons: row.EmailReasons, EmailCheckAt: row.EmailCheckAt,
	}
	if slices.Contains(row.EmailReasons, email.AddressTypo) {
		c.EmailSuggestion = email.SuggestAddress(c.Email)
	}
	return c, nil
}

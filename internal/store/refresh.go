package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// OnWake sets who is told, after a commit, that a contact's journey has something to read. It is set before the store is used; what is not
// told, the sweeper finds.
func (s *Store) OnWake(fn func(contactID string)) { s.wake = fn }

func (s *Store) wakeAll(subjects []*subject) {
	if s.wake == nil {
		return
	}
	for _, sub := range subjects {
		if sub.poked {
			s.wake(sub.row.ID.String())
		}
	}
}

// Refresh works out anew all that is derived about some contacts: after time alone, a new rule, or something that they are related to has
// changed it. Contacts that are gone are passed over.
func (s *Store) Refresh(ctx context.Context, now time.Time, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	var d *derivation
	err := retry(ctx, func() error {
		return s.onConnection(ctx, "refresh contacts", func(conn *pgxpool.Conn) error {
			var err error
			if d, err = s.lockForRefresh(ctx, conn, now, ids); err != nil {
				return err
			}
			if err := d.refold(ctx, conn); err != nil {
				return err
			}
			return d.finish(ctx, conn, nil, true)
		})
	})
	if err != nil {
		return failure("refresh contacts", err)
	}
	s.wakeAll(d.subjects)
	return nil
}

func (s *Store) lockForRefresh(ctx context.Context, conn *pgxpool.Conn, now time.Time, ids []uuid.UUID) (*derivation, error) {
	var (
		contacts []dbsqlc.Contact
		revision int64
	)
	batch := &pgx.Batch{}
	batch.Queue("begin")
	batch.Queue(dbsqlc.LockContactsByID, ids).Query(rowsInto(&contacts))
	batch.Queue(dbsqlc.RulesRevision).QueryRow(func(row pgx.Row) error { return row.Scan(&revision) })
	if err := send(ctx, conn, batch); err != nil {
		return nil, err
	}
	rules, err := s.liveRules(ctx, dbsqlc.New(conn), revision)
	if err != nil {
		return nil, err
	}
	d := &derivation{rules: rules, now: now}
	for _, row := range contacts {
		sub := newSubject(row)
		sub.news.everything = true
		d.subjects = append(d.subjects, sub)
	}
	return d, nil
}

// refold works out the scores that were kept by another model from the journal.
func (d *derivation) refold(ctx context.Context, conn *pgxpool.Conn) error {
	var ids []uuid.UUID
	for _, s := range d.subjects {
		state, err := s.state()
		if err != nil {
			return err
		}
		if state.Model != d.rules.model.Version() {
			ids = append(ids, s.row.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	folded, err := foldScores(ctx, conn, ids, d.rules.model, d.now)
	if err != nil {
		return err
	}
	for _, s := range d.subjects {
		state, ok := folded[s.row.ID]
		if !ok {
			continue
		}
		state.Points = s.parsed.state.Points
		s.parsed.state, s.refolded = &state, true
	}
	return nil
}

// finish loads what is asked, derives, and writes it together with events that came in. With commit it ends the transaction.
func (d *derivation) finish(ctx context.Context, conn *pgxpool.Conn, stored []storedEvent, commit bool) error {
	if err := d.load(ctx, conn); err != nil {
		return err
	}
	if err := d.run(); err != nil {
		return err
	}
	if err := d.wakeByNotes(ctx, conn); err != nil {
		return err
	}
	w := &written{}
	for _, e := range stored {
		w.events.add(e)
	}
	if err := w.collect(d.now, d.subjects); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	w.queue(batch)
	if commit {
		batch.Queue("commit")
	}
	if batch.Len() == 0 {
		return nil
	}
	return send(ctx, conn, batch)
}

// wakeByNotes marks pending whose journey waits for what was noted.
func (d *derivation) wakeByNotes(ctx context.Context, conn *pgxpool.Conn) error {
	var names []string
	for _, s := range d.subjects {
		for i := range s.news.events {
			if s.news.events[i].Type == audience.TypeSystem {
				names = append(names, s.news.events[i].Name)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	triggers, err := dbsqlc.New(conn).FilterTriggerNames(ctx, names)
	if err != nil {
		return err
	}
	p := &ingestPlan{now: d.now, known: known{triggers: map[string]bool{}}}
	for _, name := range triggers {
		p.known.triggers[name] = true
	}
	for _, s := range d.subjects {
		for i := range s.news.events {
			if s.news.events[i].Type == audience.TypeSystem {
				p.wake(s.news.events[i].Name, s)
			}
		}
	}
	return nil
}

// follow works out what follows from a change of the contact that this transaction has made; tell says what is new. came is what the
// journal keeps of it, or nil.
func (tx *ContactTx) follow(ctx context.Context, now time.Time, came *item, tell func(s *subject) error) error {
	s := newSubject(tx.row)
	d := &derivation{rules: tx.rules, now: now, subjects: []*subject{s}}
	if err := tell(s); err != nil {
		return err
	}
	var stored []storedEvent
	if came != nil {
		if problem := came.encode(); problem != nil {
			return problemFault(problem)
		}
		s.row.LastSeq++
		s.touched = true
		stored = append(stored, storedEvent{id: newID(), contact: tx.id, seq: s.row.LastSeq, it: came})
	}
	if err := d.finish(ctx, tx.conn, stored, false); err != nil {
		return failure("follow up a change", err)
	}
	if !s.touched && !s.changed {
		return nil
	}
	tx.woken = tx.woken || s.poked
	row, err := tx.q.FindContact(ctx, tx.id)
	if err != nil {
		return failure("read contact", err)
	}
	return tx.remember(row)
}

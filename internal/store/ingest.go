package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// Ingest takes events in: all of them in one transaction, or none. For each, in the order given, it tells what became of it.
//
// Whose an event is: the named contact, which has to exist; else whom the strongest known identity leads to (user_id, then email, then
// anonymous_id); else a new contact. Identities that nobody has yet are linked to the contact. Contacts are never merged here, and a user
// id that is new never joins a contact that has another user id: two people who share a device or a mailbox stay two.
//
// An event whose (source, message id) was accepted before is a duplicate, and nothing of it is done again. The others are numbered per
// contact, their traits are merged (nil removes), and where the contact's journey cares for the event's name the contact is marked pending.
//
// The whole takes two round trips. The first begins the transaction, locks every contact that may be concerned, in the order of ids, and
// then looks for what was accepted and what are triggers; the second writes and commits. Two batches can't wait for each other in a circle,
// because all take their locks in the same order: contacts by id, identities by kind and value. A batch that loses a race for a new
// identity or a message id is run again and finds it taken.
func (s *Store) Ingest(ctx context.Context, now time.Time, incoming []audience.Incoming) ([]audience.Accepted, error) {
	if len(incoming) == 0 {
		return []audience.Accepted{}, nil
	}
	items, err := normalise(incoming)
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	var accepted []audience.Accepted
	err = retry(ctx, func() error {
		return s.onConnection(ctx, "ingest", func(conn *pgxpool.Conn) error {
			known, err := readKnown(ctx, conn, items)
			if err != nil {
				return err
			}
			plan, err := planIngest(now, items, known)
			if err != nil {
				return err
			}
			accepted = plan.accepted
			return plan.write(ctx, conn)
		})
	})
	if err != nil {
		return nil, failure("ingest", err)
	}
	return accepted, nil
}

// known is what the database tells about a batch, read under the locks of all contacts in it.
type known struct {
	identities map[identity]uuid.UUID
	contacts   map[uuid.UUID]dbsqlc.LockContactsRow
	accepted   map[messageKey]dbsqlc.FindAcceptedRow
	triggers   map[string]bool
}

type identity struct{ kind, value string }

type messageKey struct{ source, id string }

// lookups are the keys of a batch as array parameters.
type lookups struct {
	kinds, values, sources, messageIDs, names []string
	contactIDs                                []uuid.UUID
}

func lookupsOf(items []item) lookups {
	l := lookups{contactIDs: []uuid.UUID{}}
	identities, names := map[identity]bool{}, map[string]bool{}
	for _, it := range items {
		for _, i := range it.identities() {
			if !identities[i] {
				identities[i] = true
				l.kinds, l.values = append(l.kinds, i.kind), append(l.values, i.value)
			}
		}
		if it.contact != nil {
			l.contactIDs = append(l.contactIDs, *it.contact)
		}
		l.sources, l.messageIDs = append(l.sources, it.Source), append(l.messageIDs, it.MessageID)
		if !names[it.Name] {
			names[it.Name] = true
			l.names = append(l.names, it.Name)
		}
	}
	return l
}

// readKnown is the first round trip.
func readKnown(ctx context.Context, conn *pgxpool.Conn, items []item) (known, error) {
	var (
		identities []dbsqlc.Identity
		contacts   []dbsqlc.LockContactsRow
		accepted   []dbsqlc.FindAcceptedRow
		triggers   []string
	)
	l := lookupsOf(items)
	batch := &pgx.Batch{}
	batch.Queue("begin")
	batch.Queue(dbsqlc.FindIdentities, l.kinds, l.values).Query(rowsInto(&identities))
	batch.Queue(dbsqlc.LockContacts, l.contactIDs, l.kinds, l.values).Query(rowsInto(&contacts))
	batch.Queue(dbsqlc.FindAccepted, l.sources, l.messageIDs).Query(rowsInto(&accepted))
	batch.Queue(dbsqlc.FilterTriggerNames, l.names).Query(func(rows pgx.Rows) error {
		var err error
		triggers, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err := send(ctx, conn, batch); err != nil {
		return known{}, err
	}
	k := known{
		identities: make(map[identity]uuid.UUID, len(identities)), contacts: make(map[uuid.UUID]dbsqlc.LockContactsRow, len(contacts)),
		accepted: make(map[messageKey]dbsqlc.FindAcceptedRow, len(accepted)), triggers: make(map[string]bool, len(triggers)),
	}
	for _, row := range identities {
		k.identities[identity{row.Kind, row.Value}] = row.ContactID
	}
	for _, row := range contacts {
		k.contacts[row.ID] = row
	}
	for _, row := range accepted {
		k.accepted[messageKey{row.Source, row.MessageID}] = row
	}
	for _, name := range triggers {
		k.triggers[name] = true
	}
	return k, nil
}

// write is the second round trip. A batch of nothing but duplicates writes nothing.
func (p *ingestPlan) write(ctx context.Context, conn *pgxpool.Conn) error {
	batch := &pgx.Batch{}
	if links := p.links(); len(links.kinds) > 0 {
		batch.Queue(dbsqlc.InsertIdentities, links.kinds, links.values, links.contactIDs)
	}
	created, updated := p.contactRows()
	if len(created.ids) > 0 {
		c := created
		batch.Queue(dbsqlc.InsertContacts, p.now, c.ids, c.userIDs, c.emails, c.emailKeys, c.set, c.timezones, c.locales, c.lastSeqs, c.pending)
	}
	if len(updated.ids) > 0 {
		u := updated
		batch.Queue(dbsqlc.UpdateContacts, p.now, u.ids, u.userIDs, u.emails, u.emailKeys, u.set, u.removed, u.timezones, u.locales,
			u.lastSeqs, u.pending, u.changed)
	}
	if e := p.events; len(e.ids) > 0 {
		batch.Queue(dbsqlc.InsertEvents, e.ids, e.contactIDs, e.seqs, e.sources, e.messageIDs, e.types, e.names, e.properties, e.occurredAts, p.now)
	}
	batch.Queue("commit")
	return send(ctx, conn, batch)
}

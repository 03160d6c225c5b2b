package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// Ingest takes events in, in the order given, and tells what became of each. What it has told is committed. When it fails, a part of the
// events may be committed; sent again, they are found to be duplicates.
//
// Whose an event is: the named contact, which has to exist; else whom the strongest known identity leads to (user_id, then email, then
// anonymous_id); else a new contact. Identities that nobody has yet are linked to the contact. A user id that is new never joins a contact
// that has another user id: two people who share a device or a mailbox stay two. Identify and alias may merge two contacts; then the batch
// is cut there, and the merge is a transaction of its own.
//
// An event whose (source, message id) was accepted before is a duplicate, and nothing of it is done again. The others are numbered per
// contact, their traits are merged (nil removes), what follows from them is derived (score, stage, segments; see derive.go), and where the
// contact's journey cares for an event's name the contact is marked pending.
//
// A batch takes two round trips. The first begins the transaction, locks every contact that may be concerned, in the order of ids, and
// then looks for what was accepted, what are triggers and which rules hold; the last writes and commits. Between them a third one fetches
// what conditions ask for beyond the contacts' rows, if they ask. Two batches can't wait for each other in a circle, because all take their
// locks in the same order: contacts by id, identities by kind and value. A batch that loses a race for a new identity or a message id is
// run again and finds it taken.
func (s *Store) Ingest(ctx context.Context, now time.Time, incoming []audience.Incoming) ([]audience.Accepted, error) {
	items, err := normalise(now, incoming)
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	out := make([]audience.Accepted, 0, len(items))
	for len(items) > 0 {
		accepted, merge, err := s.ingestUpToMerge(ctx, now, items)
		if isContactNotFound(err) {
			if followed, followErr := s.followNamed(ctx, items); followErr != nil || followed {
				if followErr != nil {
					return nil, fmt.Errorf("ingest: %w", followErr)
				}
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		out, items = append(out, accepted...), items[len(accepted):]
		if merge == nil || len(accepted) > 0 {
			continue // after a cut, the rest finds again whom to merge
		}
		if err := s.mergeContacts(ctx, now, merge.into, merge.from, merge.by); err != nil {
			return nil, fmt.Errorf("ingest: %w", err)
		}
	}
	return out, nil
}

// ingestUpToMerge takes in what comes before the first event that needs a merge.
func (s *Store) ingestUpToMerge(ctx context.Context, now time.Time, items []item) (accepted []audience.Accepted, merge *mergeNeeded, err error) {
	err = retry(ctx, func() error {
		return s.onConnection(ctx, "ingest", func(conn *pgxpool.Conn) error {
			known, err := s.readKnown(ctx, conn, items)
			if err != nil {
				return err
			}
			plan := newIngestPlan(now, known, len(items))
			if merge, err = plan.plan(items); err != nil {
				return err
			}
			accepted = plan.accepted
			if len(plan.subjects) == 0 {
				return nil // nothing but duplicates: nothing to write
			}
			if err := plan.derive(ctx, conn); err != nil {
				return err
			}
			return plan.write(ctx, conn)
		})
	})
	return accepted, merge, failure("ingest", err)
}

// known is what the database tells about a batch, read under the locks of all contacts in it.
type known struct {
	identities map[identity]uuid.UUID
	contacts   map[uuid.UUID]dbsqlc.Contact
	accepted   map[messageKey]dbsqlc.FindAcceptedRow
	triggers   map[string]bool
	groups     map[string]dbsqlc.ListCompaniesByGroupRow
	rules      *rules
	told       map[uuid.UUID][]told // of moments after late events
}

type identity struct{ kind, value string }

type messageKey struct{ source, id string }

// lookups are the keys of a batch as array parameters.
type lookups struct {
	kinds, values, sources, messageIDs, names, groups []string
	contactIDs                                        []uuid.UUID
}

func lookupsOf(items []item) lookups {
	l := lookups{contactIDs: []uuid.UUID{}}
	identities, names := map[identity]bool{}, map[string]bool{}
	for _, it := range items {
		for _, i := range append(it.identities(), it.previous()...) {
			if !identities[i] {
				identities[i] = true
				l.kinds, l.values = append(l.kinds, i.kind), append(l.values, i.value)
			}
		}
		if it.GroupID != "" && !slices.Contains(l.groups, it.GroupID) {
			l.groups = append(l.groups, it.GroupID)
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
func (s *Store) readKnown(ctx context.Context, conn *pgxpool.Conn, items []item) (known, error) {
	var (
		identities []dbsqlc.Identity
		contacts   []dbsqlc.Contact
		accepted   []dbsqlc.FindAcceptedRow
		triggers   []string
		groups     []dbsqlc.ListCompaniesByGroupRow
		revision   int64
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
	batch.Queue(dbsqlc.RulesRevision).QueryRow(func(row pgx.Row) error { return row.Scan(&revision) })
	if len(l.groups) > 0 {
		batch.Queue(dbsqlc.ListCompaniesByGroup, l.groups).Query(rowsInto(&groups))
	}
	if err := send(ctx, conn, batch); err != nil {
		return known{}, err
	}
	rules, err := s.liveRules(ctx, dbsqlc.New(conn), revision)
	if err != nil {
		return known{}, err
	}
	k := known{
		identities: make(map[identity]uuid.UUID, len(identities)), contacts: make(map[uuid.UUID]dbsqlc.Contact, len(contacts)),
		accepted: make(map[messageKey]dbsqlc.FindAcceptedRow, len(accepted)), triggers: make(map[string]bool, len(triggers)),
		groups: make(map[string]dbsqlc.ListCompaniesByGroupRow, len(groups)), rules: rules,
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
	for _, row := range groups {
		k.groups[row.GroupID] = row
	}
	return k, k.readTold(ctx, conn, items)
}

// derive works out what follows, and whether that wakes somebody.
func (p *ingestPlan) derive(ctx context.Context, conn *pgxpool.Conn) error {
	d := &derivation{rules: p.known.rules, now: p.now, subjects: p.list()}
	groups, err := p.groupFields()
	if err != nil {
		return err
	}
	d.facts.groups = groups
	if err := d.load(ctx, conn); err != nil {
		return err
	}
	if err := d.run(); err != nil {
		return err
	}
	for _, s := range d.subjects {
		p.wakeByNotes(s)
	}
	return nil
}

func (p *ingestPlan) list() []*subject {
	out := make([]*subject, 0, len(p.subjects))
	for _, s := range p.subjects {
		out = append(out, s)
	}
	return out
}

// wakeByNotes pokes with the contact's first event of the batch when something that Throughline noted matters to its journey.
func (p *ingestPlan) wakeByNotes(s *subject) {
	for i := range s.news.events {
		e := &s.news.events[i]
		if e.Type != audience.TypeSystem || !p.wake(e.Name, s) {
			continue
		}
		for at := range p.accepted {
			if p.accepted[at].ContactID == e.ContactID && !p.accepted[at].Duplicate {
				p.accepted[at].Poke = true
				return
			}
		}
	}
}

// groupFields are the companies of group calls as conditions see them, with what this batch says.
func (p *ingestPlan) groupFields() (map[string]map[string]any, error) {
	out := make(map[string]map[string]any, len(p.companies))
	for groupID, delta := range p.companies {
		row := p.known.groups[groupID]
		traits, err := decodeObject(row.Traits)
		if err != nil {
			return nil, err
		}
		if traits, err = delta.over(traits, row.ToldAt); err != nil {
			return nil, err
		}
		out[groupID] = companyFields(groupID, traits, row.Score)
	}
	return out, nil
}

// write is the last round trip.
func (p *ingestPlan) write(ctx context.Context, conn *pgxpool.Conn) error {
	batch := &pgx.Batch{}
	if links := p.links(); len(links.kinds) > 0 {
		batch.Queue(dbsqlc.InsertIdentities, links.kinds, links.values, links.contactIDs)
	}
	if err := p.queueCompanies(batch); err != nil {
		return err
	}
	w := &written{}
	for _, stored := range p.stored {
		p.subjects[stored.contact].touched = true
		w.events.add(stored)
	}
	if err := w.collect(p.now, p.list()); err != nil {
		return err
	}
	w.queue(batch)
	batch.Queue("commit")
	return send(ctx, conn, batch)
}

func (p *ingestPlan) queueCompanies(batch *pgx.Batch) error {
	if len(p.companies) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(p.companies))
	ids := make([]uuid.UUID, len(names))
	for i := range ids {
		ids[i] = newID()
	}
	batch.Queue(dbsqlc.InsertCompanies, ids, names, p.now)
	batch.Queue(dbsqlc.LockCompanies, names)
	for _, name := range names {
		delta := p.companies[name]
		if len(delta.traits) == 0 {
			continue
		}
		traits, err := encodeObject(delta.traits)
		if err != nil {
			return err
		}
		at, err := json.Marshal(delta.at)
		if err != nil {
			return err
		}
		batch.Queue(dbsqlc.MergeCompanyTraits, p.now, name, traits, at)
	}
	return nil
}

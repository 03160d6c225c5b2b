package store

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// ingestPlan is what a batch writes, worked out in memory from what is known: pure, so that a batch costs two round trips and no more.
type ingestPlan struct {
	now        time.Time
	known      known
	identities map[identity]uuid.UUID    // known ones and those that this batch takes
	linked     []identity                // those that this batch takes
	contacts   map[uuid.UUID]*ingestInto // the contacts that get an event
	inBatch    map[messageKey]audience.Accepted
	events     eventRows
	accepted   []audience.Accepted
}

// ingestInto is a contact as the batch leaves it.
type ingestInto struct {
	row     dbsqlc.LockContactsRow
	created bool
	poked   bool // pending was set by this batch
	changed bool // something else than the counter
	traits  traitDelta
}

type eventRows struct {
	ids, contactIDs                               []uuid.UUID
	seqs                                          []int64
	sources, messageIDs, types, names, properties []string
	occurredAts                                   []time.Time
}

func planIngest(now time.Time, items []item, k known) (*ingestPlan, error) {
	p := &ingestPlan{
		now: now, known: k, identities: k.identities, contacts: map[uuid.UUID]*ingestInto{},
		inBatch: map[messageKey]audience.Accepted{}, accepted: make([]audience.Accepted, 0, len(items)),
	}
	for i := range items {
		accepted, err := p.take(&items[i])
		if err != nil {
			return nil, err
		}
		p.accepted = append(p.accepted, accepted)
	}
	return p, nil
}

func (p *ingestPlan) take(it *item) (audience.Accepted, error) {
	key := messageKey{it.Source, it.MessageID}
	if row, ok := p.known.accepted[key]; ok {
		return audience.Accepted{
			ContactID: row.ContactID.String(), EventID: row.ID.String(), Seq: row.Seq, Duplicate: true, Poke: stale(row.PendingSince, p.now),
		}, nil
	}
	if earlier, ok := p.inBatch[key]; ok {
		earlier.Duplicate, earlier.Poke = true, false
		return earlier, nil
	}
	into, err := p.resolve(it)
	if err != nil {
		return audience.Accepted{}, err
	}
	p.link(it, into)
	into.apply(it)
	into.row.LastSeq++
	id := newID()
	accepted := audience.Accepted{
		ContactID: into.row.ID.String(), EventID: id.String(), Seq: into.row.LastSeq, Poke: p.wake(it, into),
	}
	p.inBatch[key] = accepted
	p.events.add(id, into.row, it)
	return accepted, nil
}

// resolve finds or makes the contact of an event.
func (p *ingestPlan) resolve(it *item) (*ingestInto, error) {
	if it.contact != nil {
		row, ok := p.known.contacts[*it.contact]
		if !ok {
			return nil, fault.New(fault.NotFound, "contact_not_found", "There is no such contact.")
		}
		return p.into(row), nil
	}
	for _, i := range it.identities() {
		id, ok := p.identities[i]
		if !ok {
			continue
		}
		into, err := p.locked(id)
		if err != nil {
			return nil, err
		}
		// A weaker identity does not outweigh two different user ids.
		if i.kind != KindUserID && it.UserID != "" && fromNullable(into.row.UserID) != "" {
			continue
		}
		return into, nil
	}
	into := &ingestInto{row: dbsqlc.LockContactsRow{ID: newID()}, created: true, traits: newTraitDelta()}
	p.contacts[into.row.ID] = into
	return into, nil
}

// locked is a contact that this transaction holds the lock of. An identity that is seen by the first statement is seen by the locking one.
func (p *ingestPlan) locked(id uuid.UUID) (*ingestInto, error) {
	if into, ok := p.contacts[id]; ok {
		return into, nil
	}
	row, ok := p.known.contacts[id]
	if !ok {
		return nil, fmt.Errorf("contact %s has an identity and is not locked", id)
	}
	return p.into(row), nil
}

func (p *ingestPlan) into(row dbsqlc.LockContactsRow) *ingestInto {
	into, ok := p.contacts[row.ID]
	if !ok {
		into = &ingestInto{row: row, traits: newTraitDelta()}
		p.contacts[row.ID] = into
	}
	return into
}

// link gives the contact the identities that nobody has.
func (p *ingestPlan) link(it *item, into *ingestInto) {
	for _, i := range it.identities() {
		if _, taken := p.identities[i]; taken {
			continue
		}
		p.identities[i] = into.row.ID
		p.linked = append(p.linked, i)
		if i.kind == KindUserID && into.row.UserID == nil {
			into.row.UserID, into.changed = &i.value, true
		}
	}
}

// apply folds what an event says about the contact into it. An address that came with an event fills an empty column; only identify, or
// the trait itself, changes it.
func (into *ingestInto) apply(it *item) {
	into.traits.merge(it.Traits)
	changed := len(it.Traits) > 0
	says := newTraitDelta()
	if it.Type == audience.TypeIdentify {
		says.merge(it.Traits)
	}
	for _, c := range []struct {
		column      **string
		trait, told string
	}{
		{&into.row.Email, traitEmail, it.Email}, {&into.row.Timezone, traitTimezone, it.Timezone}, {&into.row.Locale, traitLocale, it.Locale},
	} {
		value := fromNullable(*c.column)
		if trait, given := says.column(c.trait); given {
			value = trait
		}
		if c.told != "" && (value == "" || it.Type == audience.TypeIdentify) {
			value = c.told
		}
		if value != fromNullable(*c.column) {
			*c.column, changed = toNullable(value), true
		}
	}
	into.changed = into.changed || changed
}

// wake marks the contact pending when its journey cares for the event, and tells whether a poke is due.
func (p *ingestPlan) wake(it *item, into *ingestInto) bool {
	if into.poked {
		return false
	}
	cares := it.Name != "" && (p.known.triggers[it.Name] || slices.Contains(into.row.Interests, it.Name))
	// Whatever comes finds out that an earlier poke was lost.
	if !stale(into.row.PendingSince, p.now) && (!cares || into.row.PendingSince != nil) {
		return false
	}
	into.poked = true
	return true
}

func (e *eventRows) add(id uuid.UUID, contact dbsqlc.LockContactsRow, it *item) {
	e.ids, e.contactIDs, e.seqs = append(e.ids, id), append(e.contactIDs, contact.ID), append(e.seqs, contact.LastSeq)
	e.sources, e.messageIDs = append(e.sources, it.Source), append(e.messageIDs, it.MessageID)
	e.types, e.names = append(e.types, string(it.Type)), append(e.names, it.Name)
	e.properties, e.occurredAts = append(e.properties, string(it.properties)), append(e.occurredAts, it.OccurredAt)
}

type linkRows struct {
	kinds, values []string
	contactIDs    []uuid.UUID
}

// links are sorted: every batch takes identities in the same order.
func (p *ingestPlan) links() linkRows {
	slices.SortFunc(p.linked, func(a, b identity) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.value, b.value)) })
	var rows linkRows
	for _, i := range p.linked {
		rows.kinds, rows.values = append(rows.kinds, i.kind), append(rows.values, i.value)
		rows.contactIDs = append(rows.contactIDs, p.identities[i])
	}
	return rows
}

type contactRows struct {
	ids                                                          []uuid.UUID
	userIDs, emails, emailKeys, set, removed, timezones, locales []string
	lastSeqs                                                     []int64
	pending, changed                                             []bool
}

// contactRows are the contacts to make and to update, by id.
func (p *ingestPlan) contactRows() (created, updated contactRows) {
	all := make([]*ingestInto, 0, len(p.contacts))
	for _, into := range p.contacts {
		all = append(all, into)
	}
	slices.SortFunc(all, func(a, b *ingestInto) int { return slices.Compare(a.row.ID[:], b.row.ID[:]) })
	for _, into := range all {
		if into.created {
			created.add(into)
		} else if into.row.LastSeq > p.known.contacts[into.row.ID].LastSeq {
			updated.add(into)
		}
	}
	return created, updated
}

func (r *contactRows) add(into *ingestInto) {
	emailText := fromNullable(into.row.Email)
	r.ids, r.lastSeqs = append(r.ids, into.row.ID), append(r.lastSeqs, into.row.LastSeq)
	r.userIDs, r.emails = append(r.userIDs, fromNullable(into.row.UserID)), append(r.emails, emailText)
	r.emailKeys = append(r.emailKeys, EmailKey(emailText))
	r.set, r.removed = append(r.set, into.traits.setJSON()), append(r.removed, into.traits.removedJSON())
	r.timezones, r.locales = append(r.timezones, fromNullable(into.row.Timezone)), append(r.locales, fromNullable(into.row.Locale))
	r.pending, r.changed = append(r.pending, into.poked), append(r.changed, into.changed)
}

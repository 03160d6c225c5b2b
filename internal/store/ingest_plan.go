package store

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// ingestPlan is what a batch writes, worked out in memory from what is known: pure, so that a batch costs two round trips, and a third one
// when conditions ask for more than the contacts' rows.
type ingestPlan struct {
	now        time.Time
	known      known
	identities map[identity]uuid.UUID  // known ones and those that this batch takes
	linked     []identity              // those that this batch takes
	subjects   map[uuid.UUID]*subject  // the contacts that something came in for
	companies  map[string]companyDelta // what group calls say, by the sender's name
	inBatch    map[messageKey]accepted // what was taken in
	accepted   []audience.Accepted
	stored     []storedEvent
}

type accepted struct {
	audience.Accepted
	place int // in ingestPlan.accepted
}

// storedEvent is an event with its number.
type storedEvent struct {
	id      uuid.UUID
	contact uuid.UUID
	seq     int64
	it      *item
}

// mergeNeeded stops a batch at an event that joins two contacts: they are merged first, in a transaction of their own.
type mergeNeeded struct {
	into, from uuid.UUID
	by         identity
}

func (m *mergeNeeded) Error() string { return "two contacts have to be merged first" }

func newIngestPlan(now time.Time, k known, size int) *ingestPlan {
	return &ingestPlan{
		now: now, known: k, identities: k.identities, subjects: map[uuid.UUID]*subject{}, companies: map[string]companyDelta{},
		inBatch: map[messageKey]accepted{}, accepted: make([]audience.Accepted, 0, size), stored: make([]storedEvent, 0, size),
	}
}

// plan takes items until one needs a merge, which it gives back.
func (p *ingestPlan) plan(items []item) (*mergeNeeded, error) {
	for i := range items {
		a, err := p.take(&items[i])
		var merge *mergeNeeded
		if errors.As(err, &merge) {
			return merge, nil
		}
		if err != nil {
			return nil, err
		}
		p.accepted = append(p.accepted, a)
	}
	return nil, nil
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
		return earlier.Accepted, nil
	}
	into, err := p.resolve(it)
	if err != nil {
		return audience.Accepted{}, err
	}
	p.link(it, into)
	into.apply(it, p.now)
	if it.GroupID != "" {
		p.group(it)
	}
	into.row.LastSeq++
	id := newID()
	a := audience.Accepted{
		ContactID: into.row.ID.String(), EventID: id.String(), Seq: into.row.LastSeq, Poke: p.wake(it.Name, into),
	}
	p.inBatch[key] = accepted{a, len(p.accepted)}
	p.stored = append(p.stored, storedEvent{id, into.row.ID, into.row.LastSeq, it})
	if it.Name != "" {
		into.news.events = append(into.news.events, audience.Event{
			ID: a.EventID, MessageID: it.MessageID, ContactID: a.ContactID, Seq: a.Seq, Type: it.Type, Name: it.Name,
			Properties: it.Properties, Context: it.Context, OccurredAt: it.OccurredAt, ReceivedAt: p.now,
		})
	}
	return a, nil
}

func (p *ingestPlan) group(it *item) {
	delta, ok := p.companies[it.GroupID]
	if !ok {
		delta = newCompanyDelta()
		p.companies[it.GroupID] = delta
	}
	delta.hear(it.GroupTraits, it.OccurredAt)
}

// resolve finds or makes the contact of an event.
func (p *ingestPlan) resolve(it *item) (*subject, error) {
	if it.contact != nil {
		row, ok := p.known.contacts[*it.contact]
		if !ok {
			return nil, fault.New(fault.NotFound, "contact_not_found", "There is no such contact.")
		}
		return p.into(row.ID)
	}
	var into *subject
	for _, i := range append(it.identities(), it.previous()...) {
		id, ok := p.identities[i]
		if !ok {
			continue
		}
		found, err := p.into(id)
		if err != nil {
			return nil, err
		}
		if into == nil {
			if p.mayBe(it, i, found) {
				into = found
			}
			continue
		}
		if p.joins(it, i, into, found) {
			return nil, &mergeNeeded{into: into.row.ID, from: found.row.ID, by: i}
		}
	}
	if into == nil {
		into = bornSubject(newID(), p.now)
		p.subjects[into.row.ID] = into
	}
	return into, nil
}

// mayBe tells whether an identity leads to the event's contact: a weaker one does not outweigh two different user ids, but an alias does.
func (p *ingestPlan) mayBe(it *item, by identity, found *subject) bool {
	other := fromNullable(found.row.UserID)
	return it.UserID == "" || other == "" || other == it.UserID || by.kind == KindUserID || slices.Contains(it.previous(), by)
}

// joins tells whether an event makes one contact of two: an alias says so; an identify does so with a contact that has no user id. Two
// people who share a device or a mailbox stay two.
func (p *ingestPlan) joins(it *item, by identity, into, found *subject) bool {
	if found == into || !it.saysWho() {
		return false
	}
	return slices.Contains(it.previous(), by) || found.row.UserID == nil
}

// into is a contact that this transaction holds the lock of. An identity that is seen by the first statement is seen by the locking one.
func (p *ingestPlan) into(id uuid.UUID) (*subject, error) {
	if s, ok := p.subjects[id]; ok {
		return s, nil
	}
	row, ok := p.known.contacts[id]
	if !ok {
		return nil, fmt.Errorf("contact %s has an identity and is not locked: %w", id, errMerged)
	}
	s := newSubject(row)
	s.told = p.known.told[id]
	p.subjects[id] = s
	return s, nil
}

// link gives the contact the identities that nobody has. What an alias joins is its contact's, too, when nothing has come from it yet: it may
// still be on its way.
func (p *ingestPlan) link(it *item, into *subject) {
	for _, i := range it.previous() {
		if _, taken := p.identities[i]; !taken {
			p.identities[i] = into.row.ID
			p.linked = append(p.linked, i)
		}
	}
	for _, i := range it.identities() {
		if _, taken := p.identities[i]; taken {
			continue
		}
		p.identities[i] = into.row.ID
		p.linked = append(p.linked, i)
		renamed := it.Type == audience.TypeAlias // the new id is what the contact is called from now on
		if i.kind == KindUserID && (into.row.UserID == nil || renamed) {
			into.row.UserID, into.changed = &i.value, true
			into.news.fields["user_id"] = true
			into.parsed.contact = nil
		}
	}
}

// wake marks the contact pending when its journey cares for an event, and tells whether a poke is due.
func (p *ingestPlan) wake(name string, s *subject) bool {
	if s.poked {
		return false
	}
	cares := name != "" && (p.known.triggers[name] || slices.Contains(s.row.Interests, name))
	// Whatever comes finds out that an earlier poke was lost.
	if !stale(s.row.PendingSince, p.now) && (!cares || s.row.PendingSince != nil) {
		return false
	}
	s.poked, s.touched = true, true
	return true
}

package store

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// systemSource is the source of what Throughline itself notes.
const systemSource = "throughline"

// written is what a transaction writes about contacts, in the form of arrays.
type written struct {
	now      time.Time
	created  contactRows
	updated  contactRows
	events   eventRows
	joined   memberRows
	left     memberRows
	contacts []uuid.UUID // of the changes of stage
	stages   []string
	from     []string
}

type contactRows struct {
	ids                                                          []uuid.UUID
	userIDs, emails, emailKeys, set, removed, timezones, locales []string
	stages, scoreStates, groups, segments                        []string
	scores                                                       []int32
	rechecks, toldAts, checks                                    []*time.Time
	verdicts, reasons                                            []string
	lastSeqs                                                     []int64
	pending, changed                                             []bool
}

type eventRows struct {
	ids, contactIDs                                         []uuid.UUID
	seqs                                                    []int64
	sources, messageIDs, types, names, properties, contexts []string
	occurredAts                                             []time.Time
}

type memberRows struct {
	segments []string
	contacts []uuid.UUID
}

// collect sorts what became of the contacts into rows, by id.
func (w *written) collect(now time.Time, subjects []*subject) error {
	w.now = now
	slices.SortFunc(subjects, func(a, b *subject) int { return slices.Compare(a.row.ID[:], b.row.ID[:]) })
	for _, s := range subjects {
		if s.created {
			w.created.add(s)
		} else if s.touched || s.changed {
			w.updated.add(s)
		}
		w.joined.add(s.row.ID, s.joined)
		w.left.add(s.row.ID, s.left)
		for _, change := range s.stages {
			w.contacts, w.stages, w.from = append(w.contacts, s.row.ID), append(w.stages, change.to), append(w.from, change.from)
		}
		if err := w.events.notes(s); err != nil {
			return err
		}
	}
	return nil
}

// queue adds the statements that write everything.
func (w *written) queue(batch *pgx.Batch) {
	if c := &w.created; len(c.ids) > 0 {
		batch.Queue(dbsqlc.InsertContacts, w.now, c.ids, c.userIDs, c.emails, c.emailKeys, c.set, c.timezones, c.locales, c.stages, c.scores,
			c.scoreStates, c.groups, c.segments, c.rechecks, c.lastSeqs, c.pending, c.toldAts, c.verdicts, c.reasons, c.checks)
	}
	if u := &w.updated; len(u.ids) > 0 {
		batch.Queue(dbsqlc.UpdateContacts, w.now, u.ids, u.userIDs, u.emails, u.emailKeys, u.set, u.removed, u.timezones, u.locales, u.stages,
			u.scores, u.scoreStates, u.groups, u.segments, u.rechecks, u.lastSeqs, u.pending, u.changed, u.toldAts, u.verdicts, u.reasons, u.checks)
	}
	if e := &w.events; len(e.ids) > 0 {
		batch.Queue(dbsqlc.InsertEvents, e.ids, e.contactIDs, e.seqs, e.sources, e.messageIDs, e.types, e.names, e.properties, e.contexts,
			e.occurredAts, w.now)
	}
	if len(w.left.segments) > 0 {
		batch.Queue(dbsqlc.DeleteMembers, w.left.segments, w.left.contacts)
	}
	if len(w.joined.segments) > 0 {
		batch.Queue(dbsqlc.InsertMembers, w.joined.segments, w.joined.contacts, w.now)
	}
	if len(w.contacts) > 0 {
		batch.Queue(dbsqlc.InsertStageDecisions, "score", w.now, w.contacts, w.stages, w.from)
	}
}

func (r *contactRows) add(s *subject) {
	emailText := fromNullable(s.row.Email)
	r.ids, r.lastSeqs = append(r.ids, s.row.ID), append(r.lastSeqs, s.row.LastSeq)
	r.userIDs, r.emails = append(r.userIDs, fromNullable(s.row.UserID)), append(r.emails, emailText)
	r.emailKeys = append(r.emailKeys, EmailKey(emailText))
	r.set, r.removed = append(r.set, s.traits.setJSON()), append(r.removed, s.traits.removedJSON())
	r.timezones, r.locales = append(r.timezones, fromNullable(s.row.Timezone)), append(r.locales, fromNullable(s.row.Locale))
	r.stages, r.scores = append(r.stages, s.row.Stage), append(r.scores, s.row.Score)
	r.scoreStates, r.groups = append(r.scoreStates, string(s.row.ScoreState)), append(r.groups, s.groupID)
	r.segments, r.rechecks = append(r.segments, strings.Join(s.row.Segments, ",")), append(r.rechecks, s.row.RecheckAt)
	r.pending, r.changed = append(r.pending, s.poked), append(r.changed, s.changed)
	r.toldAts, r.checks = append(r.toldAts, s.row.ToldAt), append(r.checks, s.row.EmailCheckAt)
	r.verdicts, r.reasons = append(r.verdicts, s.row.EmailVerdict), append(r.reasons, strings.Join(s.row.EmailReasons, ","))
}

func (e *eventRows) add(stored storedEvent) {
	it := stored.it
	e.ids, e.contactIDs, e.seqs = append(e.ids, stored.id), append(e.contactIDs, stored.contact), append(e.seqs, stored.seq)
	e.sources, e.messageIDs = append(e.sources, it.Source), append(e.messageIDs, it.MessageID)
	e.types, e.names = append(e.types, string(it.Type)), append(e.names, it.Name)
	e.properties, e.contexts = append(e.properties, string(it.properties)), append(e.contexts, string(it.context))
	e.occurredAts = append(e.occurredAts, it.OccurredAt)
}

// notes adds the events of Throughline's own.
func (e *eventRows) notes(s *subject) error {
	for i := range s.news.events {
		event := &s.news.events[i]
		if event.Type != audience.TypeSystem {
			continue
		}
		id, err := parseID(event.ID)
		if err != nil {
			return err
		}
		properties, err := json.Marshal(event.Properties)
		if err != nil {
			return err
		}
		e.add(storedEvent{id: id, contact: s.row.ID, seq: event.Seq, it: &item{
			Incoming: audience.Incoming{
				Source: systemSource, MessageID: event.MessageID, Type: event.Type, Name: event.Name, OccurredAt: event.OccurredAt,
			},
			properties: properties,
		}})
	}
	return nil
}

func (m *memberRows) add(contact uuid.UUID, segments []string) {
	for _, segment := range segments {
		m.segments, m.contacts = append(m.segments, segment), append(m.contacts, contact)
	}
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

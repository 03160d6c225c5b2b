package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// What the journal says of a merge, and why an enrollment ended that both contacts were in.
const (
	kindMerged   = "merged"
	reasonMerged = "merged"
	mergedByAPI  = "api"
)

// errMerged is a contact that became another one while a transaction waited for its lock. Run again, the transaction finds the other.
var errMerged = errors.New("a contact was merged meanwhile")

// MergeContacts makes one contact of two because somebody asked for it, and gives the one that is left. Done before, it changes nothing.
func (s *Store) MergeContacts(ctx context.Context, now time.Time, intoID, fromID string) (audience.Contact, error) {
	into, err := s.FindContact(ctx, intoID)
	if err != nil {
		return audience.Contact{}, err
	}
	from, err := s.FindContact(ctx, fromID)
	if err != nil {
		return audience.Contact{}, err
	}
	if strings.EqualFold(intoID, fromID) {
		return audience.Contact{}, fault.New(fault.Invalid, "same_contact", "A contact can't be merged with itself.")
	}
	intoUUID, fromUUID := uuid.MustParse(into.ID), uuid.MustParse(from.ID)
	if err := s.mergeContacts(ctx, now, intoUUID, fromUUID, identity{kind: mergedByAPI}); err != nil {
		return audience.Contact{}, err
	}
	return s.FindContact(ctx, into.ID)
}

// mergeContacts makes one contact of two, in a transaction of its own: everything of from becomes into's, and from's id leads to into from
// then on. Whichever of the two has been merged meanwhile stands for what it has become; if that is one contact already, nothing is done.
//
// The journeys of both are woken: from's finds that it is over, into's adopts from's enrollments where they stand (see Progress).
func (s *Store) mergeContacts(ctx context.Context, now time.Time, into, from uuid.UUID, by identity) error {
	var merged bool
	err := retry(ctx, func() error {
		merged = false
		return s.inTx(ctx, func(q *dbsqlc.Queries) error {
			m, err := lockMerge(ctx, q, now, into, from, by.kind)
			if err != nil || m == nil {
				return err
			}
			merged = true
			return m.run(ctx)
		})
	})
	if err != nil {
		return failure("merge contacts", err)
	}
	if !merged {
		return nil
	}
	// What follows for score, stage and segments. Should it fail, the clock job does it: the merge has made it due.
	_ = s.Refresh(ctx, now, []uuid.UUID{into})
	if s.wake != nil {
		s.wake(into.String())
		s.wake(from.String())
	}
	return nil
}

// merge is one merge, inside its transaction and under the locks of both contacts.
type merge struct {
	q          *dbsqlc.Queries
	now        time.Time
	by         string
	into, from dbsqlc.Contact
}

// lockMerge locks both contacts; nil when there is nothing left to merge.
func lockMerge(ctx context.Context, q *dbsqlc.Queries, now time.Time, into, from uuid.UUID, by string) (*merge, error) {
	rows, err := q.LockPair(ctx, []uuid.UUID{into, from})
	if err != nil {
		return nil, err
	}
	m := &merge{q: q, now: now, by: by}
	for _, row := range rows {
		switch row.ID {
		case into:
			m.into = row
		case from:
			m.from = row
		}
	}
	if m.from.ID == uuid.Nil || into == from {
		return nil, nil //nolint:nilnil // it is gone: merged before
	}
	if m.into.ID != uuid.Nil {
		return m, nil
	}
	became, err := q.FindMerge(ctx, into)
	if isNoRows(err) {
		return nil, fault.New(fault.NotFound, "contact_not_found", "There is no such contact.")
	}
	if err != nil {
		return nil, err
	}
	return lockMerge(ctx, q, now, became.IntoID, from, by)
}

// run moves everything, then the row itself.
func (m *merge) run(ctx context.Context) error {
	said, err := m.toldTogether(ctx)
	if err != nil {
		return err
	}
	if err := m.settleDoubles(ctx); err != nil {
		return fmt.Errorf("settle enrollments of both: %w", err)
	}
	if err := m.move(ctx); err != nil {
		return fmt.Errorf("move: %w", err)
	}
	if err := m.q.MergeConsents(ctx, m.into.ID, m.from.ID); err != nil {
		return fmt.Errorf("merge consents: %w", err)
	}
	survivor, err := m.survivor(said)
	if err != nil {
		return err
	}
	// First the one, then the other: a user id is one contact's.
	if _, err := m.q.DeleteContact(ctx, m.from.ID); err != nil {
		return fmt.Errorf("delete the merged contact: %w", err)
	}
	if err := m.q.UpdateSurvivor(ctx, survivor); err != nil {
		return fmt.Errorf("write the contact: %w", err)
	}
	return m.tell(ctx)
}

// settleDoubles ends one of two enrollments in the same journey, so that nobody gets the same mail twice: the one that sales works with
// goes on, else the older.
func (m *merge) settleDoubles(ctx context.Context) error {
	open, err := m.q.ListOpenOfPair(ctx, []uuid.UUID{m.into.ID, m.from.ID})
	if err != nil {
		return err
	}
	keeper := map[string]dbsqlc.ListOpenOfPairRow{}
	for _, e := range open { // the oldest first
		best, ok := keeper[e.Journey]
		if !ok || (e.WithSales && !best.WithSales) {
			keeper[e.Journey] = e
		}
	}
	for _, e := range open {
		if keeper[e.Journey].ContactID == e.ContactID {
			continue
		}
		if err := m.q.CancelEnrollment(ctx, reasonMerged, m.now, e.ID); err != nil {
			return err
		}
		if err := m.q.CancelHandoffs(ctx, reasonMerged, m.now, e.ID); err != nil {
			return err
		}
		if err := m.record(ctx, dbsqlc.InsertDecisionParams{
			EnrollmentID: &e.ID, ContactID: e.ContactID, Journey: e.Journey, StepID: e.Step, Kind: string(journey.Cancelled),
			Outcome: string(journey.Cancelled), Reason: reasonMerged,
		}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (m *merge) record(ctx context.Context, d dbsqlc.InsertDecisionParams, detail map[string]any) error {
	var err error
	if detail != nil {
		if d.Detail, err = encodeObject(detail); err != nil {
			return err
		}
	}
	d.At = m.now
	if _, err = m.q.InsertDecision(ctx, d); isNoRows(err) {
		return nil // recorded before
	}
	return err
}

// move gives every row of from to into. Events come after into's own, in their order.
func (m *merge) move(ctx context.Context) error {
	into, from, shift, read := m.into.ID, m.from.ID, m.into.LastSeq, m.from.TriggerSeq
	steps := []struct {
		name string
		run  func() error
	}{
		{"identities", rowsMoved(func() (int64, error) { return m.q.MoveIdentities(ctx, into, from) })},
		{"events", rowsMoved(func() (int64, error) {
			return m.q.MoveEvents(ctx, dbsqlc.MoveEventsParams{IntoID: into, Shift: shift, TriggerSeq: read, FromID: from})
		})},
		{"keys of enrollments", func() error { return m.q.FreeTriggers(ctx, from, into) }},
		{"enrollments", rowsMoved(func() (int64, error) {
			return m.q.MoveEnrollments(ctx, dbsqlc.MoveEnrollmentsParams{IntoID: into, Shift: shift, TriggerSeq: read, FromID: from})
		})},
		{"decisions", rowsMoved(func() (int64, error) { return m.q.MoveDecisions(ctx, into, shift, from) })},
		{"messages", rowsMoved(func() (int64, error) { return m.q.MoveMessages(ctx, into, from) })},
		{"recipients of broadcasts", rowsMoved(func() (int64, error) { return m.q.MoveRecipients(ctx, into, from) })},
		{"handoffs", rowsMoved(func() (int64, error) { return m.q.MoveHandoffs(ctx, into, from) })},
		{"score changes", rowsMoved(func() (int64, error) { return m.q.MoveScoreChanges(ctx, into, from) })},
		{"objects", rowsMoved(func() (int64, error) { return m.q.MoveObjects(ctx, into, from) })},
		{"experiments", func() error {
			if err := m.q.SettleExperiments(ctx, into, from); err != nil {
				return err
			}
			_, err := m.q.MoveExperiments(ctx, into, shift, from)
			return err
		}},
		{"earlier merges", func() error { return m.q.MoveMerges(ctx, into, shift, from) }},
	}
	for _, step := range steps {
		if err := step.run(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func rowsMoved(move func() (int64, error)) func() error {
	return func() error { _, err := move(); return err }
}

// survivor is the contact as both make it: of each trait, what was said of the latest moment. Beyond that, what into knows stands, and what it
// doesn't know comes from from.
func (m *merge) survivor(said toldTogether) (dbsqlc.UpdateSurvivorParams, error) {
	traits, err := joinedTraits(m.from.Traits, m.into.Traits, said.traits)
	if err != nil {
		return dbsqlc.UpdateSurvivorParams{}, err
	}
	state, score, err := m.score()
	if err != nil {
		return dbsqlc.UpdateSurvivorParams{}, err
	}
	out := dbsqlc.UpdateSurvivorParams{
		ID: m.into.ID, UserID: cmp.Or(m.into.UserID, m.from.UserID), Email: m.into.Email, EmailKey: m.into.EmailKey, Traits: traits,
		Timezone: cmp.Or(m.into.Timezone, m.from.Timezone), Locale: cmp.Or(m.into.Locale, m.from.Locale), Stage: m.into.Stage,
		Score: score, ScoreState: state, CompanyID: cmp.Or(m.into.CompanyID, m.from.CompanyID),
		LastSeq: m.into.LastSeq + m.from.LastSeq, CreatedAt: m.into.CreatedAt, Now: m.now, ToldAt: said.at,
	}
	if out.Email == nil {
		out.Email, out.EmailKey = m.from.Email, m.from.EmailKey
	}
	delta := newTraitDelta()
	delta.merge(said.traits)
	delta.fill(&out.Email, &out.EmailKey, &out.Timezone, &out.Locale)
	m.judgeAddress(&out)
	if said.company == m.from.ID && m.from.CompanyID != nil {
		out.CompanyID = m.from.CompanyID
	}
	if sales.Forward(m.into.Stage, m.from.Stage) {
		out.Stage = m.from.Stage
	}
	if m.from.CreatedAt.Before(out.CreatedAt) {
		out.CreatedAt = m.from.CreatedAt
	}
	return out, nil
}

// judgeAddress keeps what is known of the address, if it is one of the two; else it is judged anew.
func (m *merge) judgeAddress(out *dbsqlc.UpdateSurvivorParams) {
	of := newSubject(m.into)
	if fromNullable(m.into.EmailKey) != fromNullable(out.EmailKey) {
		of = newSubject(m.from)
	}
	if fromNullable(of.row.EmailKey) != fromNullable(out.EmailKey) {
		of.row.Email = out.Email
		of.judgeAddress(m.now)
	}
	out.EmailVerdict, out.EmailReasons, out.EmailCheckAt = of.row.EmailVerdict, of.row.EmailReasons, of.row.EmailCheckAt
}

func joinedTraits(weaker, stronger []byte, said map[string]any) ([]byte, error) {
	out, err := decodeObject(weaker)
	if err != nil {
		return nil, err
	}
	over, err := decodeObject(stronger)
	if err != nil {
		return nil, err
	}
	for name, value := range over {
		out[name] = value
	}
	for name, value := range said {
		if value == nil {
			delete(out, name)
		} else {
			out[name] = value
		}
	}
	return encodeObject(out)
}

// score sums what journeys have given. What events have earned is left to the refresh, which folds it anew from the journal that is now
// one: a state of no model is one that has to be folded. Until then the sum of both scores stands.
func (m *merge) score() ([]byte, int32, error) {
	var sum sales.ScoreState
	for _, row := range []dbsqlc.Contact{m.into, m.from} {
		state, err := newSubject(row).state()
		if err != nil {
			return nil, 0, fmt.Errorf("read score of contact %s: %w", row.ID, err)
		}
		sum.Points = min(max(sum.Points+state.Points, -maxPoints), maxPoints)
		sum.Held = cmp.Or(sum.Held, state.Held)
	}
	raw, err := encodeState(sum)
	total := int64(m.into.Score) + int64(m.from.Score)
	return raw, int32(min(max(total, -maxPoints), maxPoints)), err
}

// tell writes down what became of from: for its id, for the journal, for the companies.
func (m *merge) tell(ctx context.Context) error {
	if err := m.q.InsertMerge(ctx, dbsqlc.InsertMergeParams{
		FromID: m.from.ID, IntoID: m.into.ID, Shift: m.into.LastSeq, Upto: m.into.LastSeq + m.from.LastSeq, By: m.by, At: m.now,
	}); err != nil {
		return fmt.Errorf("record merge: %w", err)
	}
	var companies []uuid.UUID
	for _, id := range []*uuid.UUID{m.into.CompanyID, m.from.CompanyID} {
		if id != nil {
			companies = append(companies, *id)
		}
	}
	if len(companies) > 0 {
		if err := m.q.TouchCompanies(ctx, m.now, companies); err != nil {
			return fmt.Errorf("touch companies: %w", err)
		}
	}
	return m.record(ctx, dbsqlc.InsertDecisionParams{ContactID: m.into.ID, Kind: kindMerged, Outcome: kindMerged, Reason: m.by},
		map[string]any{"from": m.from.ID.String(), "events": m.from.LastSeq})
}

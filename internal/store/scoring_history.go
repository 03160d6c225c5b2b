package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// maxHistoryModels bounds the models of a history. Of what lies before the oldest of them nothing is told.
const maxHistoryModels = 20

// ScoreHistory works out a contact's score at moments, which are in the order of time and not in the future: at each of them exactly what
// ExplainScore says, from one read of the journal. Moments before the contact was known, and those from which too many models have followed,
// are left out.
func (s *Store) ScoreHistory(ctx context.Context, contactID string, moments []time.Time) ([]sales.HistoryPoint, error) {
	contact, err := s.reader(ctx, "read score history", contactID)
	if err != nil {
		return nil, err
	}
	moments = slices.DeleteFunc(slices.Clone(moments), func(at time.Time) bool { return at.Before(contact.CreatedAt) })
	if len(moments) == 0 {
		return []sales.HistoryPoint{}, nil
	}
	var out []sales.HistoryPoint
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		row, err := s.q.WithTx(tx).FindContact(ctx, contact.ID)
		if err != nil {
			return contactNotFound("find contact", err)
		}
		h := &scoreHistory{scoreJournal: scoreJournal{tx: tx, q: s.q.WithTx(tx), row: row, at: moments[len(moments)-1], until: endOfTime}}
		out, err = h.read(ctx, moments)
		return err
	})
	return out, failure("read score history", err)
}

// scoreHistory reads what a contact's score at several moments is made of.
type scoreHistory struct {
	scoreJournal
	models []sales.CountingFrom
}

func (h *scoreHistory) read(ctx context.Context, moments []time.Time) ([]sales.HistoryPoint, error) {
	rows, err := h.q.ListModelsSince(ctx, moments[0], maxHistoryModels)
	if err != nil {
		return nil, failure("read scoring models", err)
	}
	slices.Reverse(rows)
	for _, row := range rows {
		model, err := compileModel(row)
		if err != nil {
			return nil, err
		}
		h.models = append(h.models, sales.CountingFrom{Model: model, From: row.PublishedAt})
	}
	if len(rows) == maxHistoryModels {
		moments = slices.DeleteFunc(moments, func(at time.Time) bool { return at.Before(rows[0].PublishedAt) })
	}
	if len(moments) == 0 {
		return []sales.HistoryPoint{}, nil
	}
	facts, err := h.factsAt(ctx, moments)
	if err != nil {
		return nil, err
	}
	last := moments[len(moments)-1]
	return sales.History(sales.ScoreJournal{Models: h.models, Moments: moments, Facts: facts, Events: h.earning(ctx, last), Points: h.givenUntil(ctx, last)})
}

// earning streams the events that any of the models listens to.
func (h *scoreHistory) earning(ctx context.Context, until time.Time) func(yield func(audience.Event, error) bool) {
	names, conditional := []string{}, []string{}
	for _, m := range h.models {
		names, conditional = append(names, m.Model.EventNames()...), append(conditional, m.Model.ConditionalNames()...)
	}
	convert := func(row dbsqlc.ListScoredEventsOfRow) (audience.Event, error) {
		e := audience.Event{Name: row.Name, OccurredAt: row.OccurredAt, ReceivedAt: row.ReceivedAt}
		var err error
		if len(row.Properties) > 0 {
			if e.Properties, err = decodeObject(row.Properties); err != nil {
				return e, err
			}
		}
		if len(row.Context) > 0 {
			e.Context, err = decodeObject(row.Context)
		}
		return e, err
	}
	return stream(ctx, h.tx, convert, dbsqlc.ListScoredEventsOf, conditional, h.row.ID, names, until)
}

func (h *scoreHistory) givenUntil(ctx context.Context, until time.Time) func(yield func(sales.ScoreChange, error) bool) {
	convert := func(row dbsqlc.ListGivenOfRow) (sales.ScoreChange, error) {
		return sales.ScoreChange{Points: int(row.Points), Reason: row.Reason, At: row.At}, nil
	}
	return stream(ctx, h.tx, convert, dbsqlc.ListGivenOf, h.row.ID, until)
}

// factsAt reads once what personas and fit rules of any of the models look at, and takes the contact's traits back to each moment.
func (h *scoreHistory) factsAt(ctx context.Context, moments []time.Time) (func(at time.Time) audience.Facts, error) {
	var names audience.Names
	for _, m := range h.models {
		n := m.Model.FitNames()
		names.Company, names.Objects = names.Company || n.Company, append(names.Objects, n.Objects...)
	}
	known, err := h.facts(ctx, names)
	if err != nil {
		return nil, err
	}
	var changes []sales.TraitChange
	if slices.ContainsFunc(h.models, func(m sales.CountingFrom) bool { return m.Model.Rates() }) {
		if changes, err = h.traitChanges(ctx); err != nil {
			return nil, err
		}
		changes = sales.Thinned(changes, moments)
	}
	return func(at time.Time) audience.Facts {
		then := *known
		then.now = at
		foldTraits(&then.contact, changes, at)
		return &then
	}, nil
}

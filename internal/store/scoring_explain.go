package store

import (
	"context"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// endOfTime is later than whatever is known.
var endOfTime = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant that Go can't write as one

// ExplainScore works out a contact's score from the journal, with the origin of every point: now, or as it was at a moment, by the model
// that counted then. limit bounds the origins that are listed.
func (s *Store) ExplainScore(ctx context.Context, contactID string, at *time.Time, limit int, now time.Time) (sales.Explanation, error) {
	contact, err := s.FindContact(ctx, contactID)
	if err != nil {
		return sales.Explanation{}, err
	}
	id, err := parseID(contact.ID)
	if err != nil {
		return sales.Explanation{}, contactNotFound("explain score", err)
	}
	var out sales.Explanation
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		row, err := s.q.WithTx(tx).FindContact(ctx, id)
		if err != nil {
			return contactNotFound("find contact", err)
		}
		e := &scoreJournal{tx: tx, q: s.q.WithTx(tx), row: row, at: now, until: endOfTime}
		if at != nil {
			e.at, e.until = *at, *at
		}
		out, err = e.explain(ctx, clampLimit(limit))
		return err
	})
	return out, failure("explain score", err)
}

// scoreJournal reads what a contact's score at a moment is made of.
type scoreJournal struct {
	tx    pgx.Tx
	q     *dbsqlc.Queries
	row   dbsqlc.Contact
	at    time.Time // the moment
	until time.Time // what was known: the moment, or everything
	rough []string
}

func (j *scoreJournal) explain(ctx context.Context, limit int) (sales.Explanation, error) {
	model, err := modelAt(ctx, j.q, j.until)
	if err != nil {
		return sales.Explanation{}, err
	}
	facts, err := j.facts(ctx, model.FitNames())
	if err != nil {
		return sales.Explanation{}, err
	}
	explanation, err := sales.Explain(model, sales.Journal{
		Facts: facts, Events: j.events(ctx, model.EventNames()), Points: j.points(ctx),
	}, j.at, limit)
	explanation.Approximate = j.rough
	return explanation, err
}

// events streams what the model listens to: a contact may have any number of them.
func (j *scoreJournal) events(ctx context.Context, names []string) iter.Seq2[audience.Event, error] {
	return stream(ctx, j.tx, eventOf, dbsqlc.ListEarningEvents, j.row.ID, names, j.until)
}

func (j *scoreJournal) points(ctx context.Context) iter.Seq2[sales.ScoreChange, error] {
	convert := func(row dbsqlc.ScoreChange) (sales.ScoreChange, error) { return scoreChangeOf(row), nil }
	return stream(ctx, j.tx, convert, dbsqlc.ListGivenUntil, j.row.ID, j.until)
}

// stream reads rows one by one, when they are asked for.
func stream[R, T any](ctx context.Context, tx pgx.Tx, convert func(R) (T, error), query string, args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		rows, err := tx.Query(ctx, query, args...)
		if err != nil {
			yield(none, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			row, err := pgx.RowToStructByPos[R](rows)
			if err != nil {
				yield(none, err)
				return
			}
			item, err := convert(row)
			if !yield(item, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(none, err)
		}
	}
}

// facts are what personas and fit rules look at, as they were: the contact's traits are folded back; of the company and of objects only
// what they are now is known, which is said when it was not so then.
func (j *scoreJournal) facts(ctx context.Context, names audience.Names) (*stillFacts, error) {
	contact, err := contactOf(j.row)
	if err != nil {
		return nil, err
	}
	f := &stillFacts{contact: contact, objects: map[string]map[string]any{}, now: j.at}
	if err := j.foldTraits(ctx, &f.contact); err != nil {
		return nil, err
	}
	if names.Company && j.row.CompanyID != nil {
		row, err := j.q.FindScoredCompany(ctx, *j.row.CompanyID)
		if err != nil {
			return nil, failure("find company", err)
		}
		traits, err := decodeObject(row.Traits)
		if err != nil {
			return nil, err
		}
		f.company = companyFields(row.GroupID, traits, row.Score)
		j.roughly("company", row.UpdatedAt)
	}
	for _, kind := range names.Objects {
		row, err := j.q.NewestObjectOfType(ctx, kind, &j.row.ID, j.row.CompanyID)
		if isNoRows(err) {
			continue
		}
		if err != nil {
			return nil, failure("find object", err)
		}
		if f.objects[kind], err = decodeObject(row.Fields); err != nil {
			return nil, err
		}
		j.roughly("object "+kind, row.UpdatedAt)
	}
	return f, nil
}

func (j *scoreJournal) roughly(what string, updated time.Time) {
	if updated.After(j.until) {
		j.rough = append(j.rough, what)
	}
}

// foldTraits takes the contact's traits back to the moment.
func (j *scoreJournal) foldTraits(ctx context.Context, c *audience.Contact) error {
	if !j.until.Before(endOfTime) {
		return nil
	}
	changes, err := j.traitChanges(ctx)
	if err != nil {
		return err
	}
	foldTraits(c, changes, j.until)
	return nil
}

func (j *scoreJournal) traitChanges(ctx context.Context) ([]sales.TraitChange, error) {
	rows, err := j.q.ListTraitChanges(ctx, j.row.ID)
	if err != nil {
		return nil, failure("read trait changes", err)
	}
	changes := make([]sales.TraitChange, len(rows))
	for i, row := range rows {
		if changes[i].Traits, err = decodeObject(row.Properties); err != nil {
			return nil, err
		}
		changes[i].At = row.ReceivedAt
	}
	return changes, nil
}

// foldTraits takes a contact's traits back to a moment, and the columns that traits of these names fill.
func foldTraits(c *audience.Contact, changes []sales.TraitChange, at time.Time) {
	for _, column := range []struct {
		trait string
		field *string
	}{{traitEmail, &c.Email}, {traitTimezone, &c.Timezone}, {traitLocale, &c.Locale}} {
		if !changedLater(changes, column.trait, at) {
			continue
		}
		*column.field, _ = sales.TraitsAt(nil, changes, at)[column.trait].(string)
	}
	c.Traits = sales.TraitsAt(c.Traits, changes, at)
}

func changedLater(changes []sales.TraitChange, trait string, at time.Time) bool {
	for _, change := range changes {
		if _, told := change.Traits[trait]; told && change.At.After(at) {
			return true
		}
	}
	return false
}

// stillFacts are the facts of a contact that fit rules and personas look at, all of them read before.
type stillFacts struct {
	contact audience.Contact
	company map[string]any
	objects map[string]map[string]any
	now     time.Time
}

func (f *stillFacts) Contact() audience.Contact                  { return f.contact }
func (f *stillFacts) Event() *audience.Event                     { return nil }
func (f *stillFacts) Company() map[string]any                    { return orEmptyObject(f.company) }
func (f *stillFacts) Persona() string                            { return "" }
func (f *stillFacts) Score() audience.Score                      { return audience.Score{} }
func (f *stillFacts) Object(kind string) (map[string]any, error) { return f.objects[kind], nil }
func (f *stillFacts) Tally(audience.Question) (audience.Tally, error) {
	return audience.Tally{}, errFactsMissing
}
func (f *stillFacts) Last(string) (time.Time, bool, error) {
	return time.Time{}, false, errFactsMissing
}
func (f *stillFacts) InSegment(string) (bool, error) { return false, errFactsMissing }
func (f *stillFacts) Now() time.Time                 { return f.now }

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

// beginning is earlier than whatever happened.
var beginning = time.Unix(0, 0).AddDate(-1000, 0, 0) //nolint:gochecknoglobals // a constant that Go can't write as one

// wanted are the facts that the conditions concerned may ask for.
type wanted struct {
	questions []contactQuestion // without a where
	filtered  map[audience.Question][]uuid.UUID
	lasts     []contactName
	objects   []contactName
	companies []uuid.UUID
	seen      map[any]bool
}

// wants lists what judging the contacts may ask. A contact that is being made has nothing in the database yet.
func (d *derivation) wants() *wanted {
	w := &wanted{filtered: map[audience.Question][]uuid.UUID{}, seen: map[any]bool{}}
	for _, s := range d.subjects {
		scored := d.rules.model.Version() > 0 && d.mayScore(s)
		if scored && d.fitConcerned(s) {
			w.add(s, d.rules.model.FitNames())
		}
		var touched bool
		for _, seg := range d.rules.segments {
			// What scores may change a stage, too; and a note may follow.
			if d.concerned(s, seg) || (scored && (seg.names.Score || seg.names.Persona || len(seg.names.Fields) > 0)) {
				w.add(s, seg.names)
				touched = true
			}
		}
		if d.rules.system && (touched || scored) {
			for _, seg := range d.rules.segments {
				w.add(s, seg.names)
			}
		}
	}
	return w
}

func (w *wanted) first(key any) bool {
	if w.seen[key] {
		return false
	}
	w.seen[key] = true
	return true
}

func (w *wanted) add(s *subject, names audience.Names) {
	if names.Company && s.groupID == "" && s.row.CompanyID != nil && w.first(*s.row.CompanyID) {
		w.companies = append(w.companies, *s.row.CompanyID)
	}
	if s.created {
		return
	}
	id := s.row.ID
	for _, q := range names.Questions {
		key := contactQuestion{id, q}
		if !w.first(key) {
			continue
		}
		if q.Where == "" {
			w.questions = append(w.questions, key)
		} else {
			w.filtered[q] = append(w.filtered[q], id)
		}
	}
	for _, name := range names.Lasts {
		if key := (contactName{id, name}); w.first(key) {
			w.lasts = append(w.lasts, key)
		}
	}
	for _, kind := range names.Objects {
		key := contactName{id, kind}
		if w.first([2]any{"object", key}) {
			w.objects = append(w.objects, key)
		}
	}
}

func (w *wanted) nothing() bool {
	return len(w.questions)+len(w.filtered)+len(w.lasts)+len(w.objects)+len(w.companies) == 0
}

// load fetches what may be asked, in one round trip, or in none.
func (d *derivation) load(ctx context.Context, conn *pgxpool.Conn) error {
	w := d.wants()
	f := &d.facts
	f.tallies, f.lasts = map[contactQuestion]audience.Tally{}, map[contactName]lastEvent{}
	f.objects, f.companies = map[contactName]map[string]any{}, map[uuid.UUID]map[string]any{}
	if w.nothing() {
		return nil
	}
	batch := &pgx.Batch{}
	d.queueTallies(batch, w)
	for q, ids := range w.filtered {
		d.queueFiltered(batch, q, ids)
	}
	d.queueLasts(batch, w)
	d.queueObjects(batch, w)
	if len(w.companies) > 0 {
		batch.Queue(dbsqlc.ListCompaniesByID, w.companies).Query(func(rows pgx.Rows) error {
			companies, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dbsqlc.ListCompaniesByIDRow])
			for _, row := range companies {
				traits, decodeErr := decodeObject(row.Traits)
				if decodeErr != nil {
					return decodeErr
				}
				f.companies[row.ID] = companyFields(row.GroupID, traits, row.Score)
			}
			return err
		})
	}
	return send(ctx, conn, batch)
}

func (d *derivation) since(q audience.Question) time.Time {
	if q.Within == 0 {
		return beginning
	}
	return d.now.Add(-q.Within)
}

func (d *derivation) queueTallies(batch *pgx.Batch, w *wanted) {
	if len(w.questions) == 0 {
		return
	}
	n := len(w.questions)
	ids, names, sinces := make([]uuid.UUID, n), make([]string, n), make([]time.Time, n)
	for i, key := range w.questions {
		ids[i], names[i], sinces[i] = key.contact, key.question.Name, d.since(key.question)
	}
	batch.Queue(dbsqlc.TallyMany, places(n), ids, names, sinces, d.now).Query(func(rows pgx.Rows) error {
		tallies, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dbsqlc.TallyManyRow])
		for _, row := range tallies {
			d.facts.tallies[w.questions[row.Place]] = tallyOf(row.N, row.Oldest)
		}
		return err
	})
}

func tallyOf(n int64, oldest time.Time) audience.Tally {
	if n == 0 {
		return audience.Tally{}
	}
	return audience.Tally{Count: int(n), Oldest: oldest}
}

// queueFiltered asks for the events themselves, because the filter is not SQL.
func (d *derivation) queueFiltered(batch *pgx.Batch, q audience.Question, ids []uuid.UUID) {
	batch.Queue(dbsqlc.ListEventsOfName, ids, q.Name, d.since(q), d.now).Query(func(rows pgx.Rows) error {
		events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dbsqlc.Event])
		if err != nil {
			return err
		}
		tallies := make(map[uuid.UUID]audience.Tally, len(ids))
		for _, row := range events {
			e, err := eventOf(row)
			if err != nil {
				return err
			}
			ok, err := q.Admits(&e)
			if err != nil {
				return err
			}
			if ok {
				tallies[row.ContactID] = tallies[row.ContactID].With(e.OccurredAt)
			}
		}
		for _, id := range ids {
			d.facts.tallies[contactQuestion{id, q}] = tallies[id]
		}
		return nil
	})
}

func (d *derivation) queueLasts(batch *pgx.Batch, w *wanted) {
	if len(w.lasts) == 0 {
		return
	}
	ids, names := splitNames(w.lasts)
	batch.Queue(dbsqlc.LastMany, places(len(ids)), ids, names, d.now).Query(func(rows pgx.Rows) error {
		lasts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dbsqlc.LastManyRow])
		for _, key := range w.lasts {
			d.facts.lasts[key] = lastEvent{}
		}
		for _, row := range lasts {
			d.facts.lasts[w.lasts[row.Place]] = lastEvent{at: row.Newest, ok: true}
		}
		return err
	})
}

func (d *derivation) queueObjects(batch *pgx.Batch, w *wanted) {
	if len(w.objects) == 0 {
		return
	}
	ids, kinds := splitNames(w.objects)
	batch.Queue(dbsqlc.NewestObjects, places(len(ids)), ids, kinds).Query(func(rows pgx.Rows) error {
		objects, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dbsqlc.NewestObjectsRow])
		for _, key := range w.objects {
			d.facts.objects[key] = nil
		}
		for _, row := range objects {
			fields, decodeErr := decodeObject(row.Fields)
			if decodeErr != nil {
				return decodeErr
			}
			d.facts.objects[w.objects[row.Place]] = fields
		}
		return err
	})
}

// places are the numbers of n rows.
func places(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = int64(i)
	}
	return out
}

func splitNames(keys []contactName) ([]uuid.UUID, []string) {
	ids, names := make([]uuid.UUID, len(keys)), make([]string, len(keys))
	for i, key := range keys {
		ids[i], names[i] = key.contact, key.name
	}
	return ids, names
}

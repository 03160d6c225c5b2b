package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// told is what an event said about a contact: traits by their names, or which company it belongs to.
type told struct {
	at     time.Time
	traits map[string]any
	group  bool
}

// tells is whether an event says something about its contact that another one may say otherwise.
func (it *item) tells() bool { return len(it.Traits) > 0 || it.GroupID != "" }

// late tells whether something was said of a later moment already.
func (s *subject) late(it *item) bool {
	return it.tells() && s.row.ToldAt != nil && it.OccurredAt.Before(*s.row.ToldAt)
}

// timely is what an event says about traits, without those of which something was said of a later moment. Events arrive in any order: what
// counts is when it was so. Of one moment, the one that came last counts.
func (s *subject) timely(it *item) map[string]any {
	if !s.late(it) {
		return it.Traits
	}
	traits := make(map[string]any, len(it.Traits))
	for name, value := range it.Traits {
		if !s.overridden(it, clean(name)) {
			traits[name] = value
		}
	}
	return traits
}

// overridden tells whether a later moment's word on a trait is known.
func (s *subject) overridden(it *item, trait string) bool {
	for _, said := range s.told {
		if _, names := said.traits[trait]; names && said.at.After(it.OccurredAt) {
			return true
		}
	}
	return false
}

// movedOn tells whether the contact belongs to another company at a later moment.
func (s *subject) movedOn(it *item) bool {
	for _, said := range s.told {
		if said.group && said.at.After(it.OccurredAt) {
			return true
		}
	}
	return false
}

// hear keeps what an event said for those that come after it.
func (s *subject) hear(it *item) {
	if !it.tells() {
		return
	}
	said := told{at: it.OccurredAt, traits: make(map[string]any, len(it.Traits)), group: it.GroupID != ""}
	for name := range it.Traits {
		said.traits[clean(name)] = true
	}
	s.told = append(s.told, said)
	if s.row.ToldAt == nil || it.OccurredAt.After(*s.row.ToldAt) {
		s.row.ToldAt = &it.OccurredAt
	}
}

// readTold reads what was said of later moments than the earliest that this batch speaks of. Mostly nothing was. Whose an event is may turn out
// within the batch, so it is asked for all contacts of it.
func (k *known) readTold(ctx context.Context, conn *pgxpool.Conn, items []item) error {
	var since time.Time
	for i := range items {
		if it := &items[i]; it.tells() && (since.IsZero() || it.OccurredAt.Before(since)) {
			since = it.OccurredAt
		}
	}
	if since.IsZero() {
		return nil
	}
	var ids []uuid.UUID
	for id, row := range k.contacts {
		if row.ToldAt != nil && row.ToldAt.After(since) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := conn.Query(ctx, dbsqlc.ListTold, ids, since)
	if err != nil {
		return err
	}
	said, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dbsqlc.ListToldRow])
	if err != nil {
		return err
	}
	k.told = map[uuid.UUID][]told{}
	for _, row := range said {
		traits, err := traitsOf(row)
		if err != nil {
			return err
		}
		k.told[row.ContactID] = append(k.told[row.ContactID], told{at: row.OccurredAt, traits: traits, group: row.Type == string(audience.TypeGroup)})
	}
	return nil
}

// traitsOf are the traits of an identify as the journal keeps them; of a group call none.
func traitsOf(row dbsqlc.ListToldRow) (map[string]any, error) {
	if row.Type != string(audience.TypeIdentify) {
		return nil, nil //nolint:nilnil // no traits are said
	}
	return decodeObject(row.Properties)
}

// toldTogether is what two contacts that become one were said to be, the last word on each trait, and whose company counts.
type toldTogether struct {
	traits  map[string]any // nil: removed
	company uuid.UUID      // of which contact the newest group call is; zero: neither has one
	at      *time.Time
}

// toldTogether folds what was said about both, in the order of moments. Of one moment, what was said about into counts.
func (m *merge) toldTogether(ctx context.Context) (toldTogether, error) {
	out := toldTogether{traits: map[string]any{}}
	rows, err := m.q.ListToldOfPair(ctx, m.from.ID, m.into.ID)
	if err != nil {
		return out, fmt.Errorf("read what was said of both: %w", err)
	}
	for _, row := range rows {
		out.at = &row.OccurredAt
		if row.Type == string(audience.TypeGroup) {
			out.company = row.ContactID
			continue
		}
		traits, err := decodeObject(row.Properties)
		if err != nil {
			return out, err
		}
		for name, value := range traits {
			out.traits[name] = value
		}
	}
	return out, nil
}

// companyDelta is what group calls say about a company, and of which moment.
type companyDelta struct {
	traits map[string]any // nil: removed
	at     map[string]int64
}

func newCompanyDelta() companyDelta {
	return companyDelta{traits: map[string]any{}, at: map[string]int64{}}
}

func (d companyDelta) hear(traits map[string]any, at time.Time) {
	moment := at.UnixMicro()
	for name, value := range traits {
		name = clean(name)
		if said, ok := d.at[name]; !ok || moment >= said {
			d.traits[name], d.at[name] = value, moment
		}
	}
}

// over are a company's traits with what is said of a later moment than what is known.
func (d companyDelta) over(traits map[string]any, toldAt json.RawMessage) (map[string]any, error) {
	known := map[string]int64{}
	if len(toldAt) > 0 {
		if err := json.Unmarshal(toldAt, &known); err != nil {
			return nil, err
		}
	}
	for name, value := range d.traits {
		switch {
		case d.at[name] < known[name]:
		case value == nil:
			delete(traits, name)
		default:
			traits[name] = value
		}
	}
	return traits, nil
}

package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// foldScores works out from the journal what contacts have earned under a model: for those whose state was kept by another version. Fit
// and persona are left out; the caller rates them. The contacts are locked.
func foldScores(ctx context.Context, db dbsqlc.DBTX, ids []uuid.UUID, model *sales.Model, _ time.Time) (map[uuid.UUID]sales.ScoreState, error) {
	states := make(map[uuid.UUID]sales.ScoreState, len(ids))
	given, err := dbsqlc.New(db).SumGiven(ctx, ids)
	if err != nil {
		return nil, failure("sum up points given", err)
	}
	for _, row := range given {
		states[row.ID] = sales.ScoreState{Model: model.Version(), Points: int(row.Points), Held: row.Held}
	}
	err = eachScoredEvent(ctx, db, ids, model, func(id uuid.UUID, e *audience.Event) error {
		state := states[id]
		_, err := model.Earn(&state, e)
		states[id] = state
		return err
	})
	return states, err
}

// eachScoredEvent reads the events of contacts that a model listens to, as a stream: a contact may have any number of them.
func eachScoredEvent(ctx context.Context, db dbsqlc.DBTX, ids []uuid.UUID, model *sales.Model, fn func(uuid.UUID, *audience.Event) error) error {
	names := model.EventNames()
	if len(names) == 0 || len(ids) == 0 {
		return nil
	}
	rows, err := db.Query(ctx, dbsqlc.ListScoredEvents, model.ConditionalNames(), ids, names)
	if err != nil {
		return failure("read scored events", err)
	}
	var row dbsqlc.ListScoredEventsRow
	_, err = pgx.ForEachRow(rows, []any{&row.ContactID, &row.Name, &row.OccurredAt, &row.Properties, &row.Context}, func() error {
		e := audience.Event{Name: row.Name, OccurredAt: row.OccurredAt}
		for _, column := range []struct {
			raw  json.RawMessage
			into *map[string]any
		}{{row.Properties, &e.Properties}, {row.Context, &e.Context}} {
			if len(column.raw) == 0 {
				continue
			}
			if *column.into, err = decodeObject(column.raw); err != nil {
				return fmt.Errorf("event of contact %s: %w", row.ContactID, err)
			}
		}
		row.Properties, row.Context = nil, nil
		return fn(row.ContactID, &e)
	})
	return failure("read scored events", err)
}

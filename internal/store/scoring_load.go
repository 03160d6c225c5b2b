package store

import (
	"context"
	"fmt"

	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// loadModel gives the published scoring model, or nil when none is.
func loadModel(ctx context.Context, q *dbsqlc.Queries) (*sales.Model, error) {
	row, err := q.NewestScoringModel(ctx)
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // the nil model is a model
	}
	if err != nil {
		return nil, failure("find scoring model", err)
	}
	def, problems := sales.Parse(row.Document)
	if def == nil {
		return nil, fmt.Errorf("scoring model %d can't be read: %d problems", row.Version, len(problems))
	}
	return sales.Compile(def, int(row.Version))
}

package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// PublishModel makes a scoring model the one that counts, and says so to everybody who derives by it: in the same transaction the rules are
// others, and a walk brings every contact up to them. What counts already is published again as it is. expected, when given, is the version
// that the change is based on (0: there was none); another one is a Conflict.
func (s *Store) PublishModel(ctx context.Context, document []byte, hash string, expected *int, now time.Time) (sales.ModelVersion, error) {
	var published sales.ModelVersion
	err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
		if _, err := q.LockRulesForModel(ctx); err != nil {
			return err
		}
		latest, err := q.LatestModel(ctx)
		if err != nil && !isNoRows(err) {
			return err
		}
		switch {
		case expected != nil && int32(*expected) != latest.Version:
			return fault.New(fault.Conflict, "stale_version", "Another scoring model has been published since. Read it before you publish.")
		case latest.Hash == hash:
			published = modelVersionOf(latest)
			return nil
		}
		row, err := q.InsertModel(ctx, dbsqlc.InsertModelParams{Version: latest.Version + 1, Hash: hash, Document: document, PublishedAt: now})
		if err != nil {
			return err
		}
		published = modelVersionOf(row)
		return raiseRules(ctx, q)
	})
	if err != nil {
		return sales.ModelVersion{}, failure("publish scoring model", err)
	}
	return published, nil
}

// LiveModel finds the scoring model that counts.
func (s *Store) LiveModel(ctx context.Context) (sales.ModelVersion, error) {
	row, err := s.q.LatestModel(ctx)
	if err != nil {
		return sales.ModelVersion{}, notFound("find scoring model", "no_scoring_model", "No scoring model has been published yet.", err)
	}
	return modelVersionOf(row), nil
}

// FindModel finds a published scoring model.
func (s *Store) FindModel(ctx context.Context, version int) (sales.ModelVersion, error) {
	row, err := s.q.FindModel(ctx, int32(version))
	if err != nil {
		return sales.ModelVersion{}, versionNotFound("find scoring model", err)
	}
	return modelVersionOf(row), nil
}

// ListModels lists the published scoring models, the newest first.
func (s *Store) ListModels(ctx context.Context, cursor string, limit int) (Page[sales.ModelVersion], error) {
	before, err := parseBefore(cursor, 31)
	if err != nil {
		return Page[sales.ModelVersion]{}, err
	}
	limit = clampLimit(limit)
	rows, err := s.q.ListModels(ctx, int32(before), int32(limit+1))
	if err != nil {
		return Page[sales.ModelVersion]{}, failure("list scoring models", err)
	}
	return page(rows, limit,
		func(row dbsqlc.ScoringModel) (sales.ModelVersion, error) { return modelVersionOf(row), nil },
		func(row dbsqlc.ScoringModel) string { return strconv.Itoa(int(row.Version)) })
}

func modelVersionOf(row dbsqlc.ScoringModel) sales.ModelVersion {
	return sales.ModelVersion{Number: int(row.Version), Hash: row.Hash, Document: row.Document, PublishedAt: row.PublishedAt}
}

// loadModel reads and compiles the scoring model that counts; nil: none has been published.
func loadModel(ctx context.Context, q *dbsqlc.Queries) (*sales.Model, error) {
	row, err := q.LatestModel(ctx)
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // the nil model is the one without rules
	}
	if err != nil {
		return nil, failure("read scoring model", err)
	}
	return compileModel(row)
}

// modelAt is the model that counted at a moment.
func modelAt(ctx context.Context, q *dbsqlc.Queries, at time.Time) (*sales.Model, error) {
	row, err := q.ModelAt(ctx, at)
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // see above
	}
	if err != nil {
		return nil, failure("read scoring model", err)
	}
	return compileModel(row)
}

func compileModel(row dbsqlc.ScoringModel) (*sales.Model, error) {
	def, problems := sales.Parse(row.Document)
	if fault.HasErrors(problems) {
		return nil, fmt.Errorf("scoring model %d can't be read any more: %s at %s", row.Version, problems[0].Code, problems[0].Path)
	}
	return sales.Compile(def, int(row.Version))
}

package main

import (
	"context"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/journey"
)

func (p storePort) ListCounted(ctx context.Context, key string, of journey.Counted, cursor string, limit int) (api.Page[journey.CountedContact], error) {
	page, err := p.Store.ListCounted(ctx, key, of, cursor, limit)
	return api.Page[journey.CountedContact](page), err
}

func (p storePort) ListExperiments(ctx context.Context, journeyKey, cursor string, limit int) (api.Page[journey.ExperimentRecord], error) {
	page, err := p.Store.ListExperiments(ctx, journeyKey, cursor, limit)
	return api.Page[journey.ExperimentRecord](page), err
}

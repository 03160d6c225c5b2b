package main

import (
	"context"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/sales"
)

func (p storePort) ListModels(ctx context.Context, cursor string, limit int) (api.Page[sales.ModelVersion], error) {
	page, err := p.Store.ListModels(ctx, cursor, limit)
	return api.Page[sales.ModelVersion](page), err
}

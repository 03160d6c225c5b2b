package main

import (
	"context"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store"
)

// importsPort hands the store's imports to the api.
type importsPort struct{ *store.Store }

func (p importsPort) ListImports(ctx context.Context, cursor string, limit int) (api.Page[audience.Import], error) {
	page, err := p.Store.ListImports(ctx, cursor, limit)
	return api.Page[audience.Import](page), err
}

func (p importsPort) ListImportProblems(ctx context.Context, id, cursor string, limit int) (api.Page[audience.ImportProblem], error) {
	page, err := p.Store.ListImportProblems(ctx, id, cursor, limit)
	return api.Page[audience.ImportProblem](page), err
}

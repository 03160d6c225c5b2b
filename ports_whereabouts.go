package main

import (
	"context"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
)

func (p storePort) ListContacts(ctx context.Context, filter audience.ContactFilter, cursor string, limit int) (api.Page[audience.Contact], error) {
	page, err := p.Store.ListContacts(ctx, filter, cursor, limit)
	return api.Page[audience.Contact](page), err
}

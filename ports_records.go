package main

import (
	"context"
	"time"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
)

// The catalogue writes what has come in every noteEvery: so much of its figures a killed process loses.
const (
	noteEvery   = time.Second
	noteTimeout = 5 * time.Second
)

// note writes the catalogue's figures.
func (p *process) note(ctx context.Context) error {
	ticker := time.NewTicker(noteEvery)
	defer ticker.Stop()
	p.events.Run(ctx, ticker.C, p.noteFailed)
	return nil
}

// noteRest writes what came in while the process was ending.
func (p *process) noteRest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout) //nolint:forbidigo // the process is ending: its own context is over
	defer cancel()
	if err := p.events.Flush(ctx); err != nil {
		p.noteFailed(err)
	}
}

func (p *process) noteFailed(err error) {
	p.log.Warn("the catalogue's figures of a moment are lost", "error", err.Error())
}

func (p storePort) ListCompanies(ctx context.Context, cursor string, limit int) (api.Page[audience.Company], error) {
	page, err := p.Store.ListCompanies(ctx, cursor, limit)
	return api.Page[audience.Company](page), err
}

func (p storePort) ListCompanyMembers(ctx context.Context, companyID, cursor string, limit int) (api.Page[audience.Contact], error) {
	page, err := p.Store.ListCompanyMembers(ctx, companyID, cursor, limit)
	return api.Page[audience.Contact](page), err
}

func (p storePort) ListObjects(ctx context.Context, of audience.ObjectOwner, kind, cursor string, limit int) (api.Page[audience.Object], error) {
	page, err := p.Store.ListObjects(ctx, of, kind, cursor, limit)
	return api.Page[audience.Object](page), err
}

func (p storePort) ListObjectTypes(ctx context.Context, cursor string, limit int) (api.Page[audience.ObjectType], error) {
	page, err := p.Store.ListObjectTypes(ctx, cursor, limit)
	return api.Page[audience.ObjectType](page), err
}

func (p storePort) ListEventNames(ctx context.Context, search, cursor string, limit int) (api.Page[audience.EventName], error) {
	page, err := p.Store.ListEventNames(ctx, search, cursor, limit)
	return api.Page[audience.EventName](page), err
}

func (p storePort) ListTraitNames(ctx context.Context, search, cursor string, limit int) (api.Page[audience.TraitName], error) {
	page, err := p.Store.ListTraitNames(ctx, search, cursor, limit)
	return api.Page[audience.TraitName](page), err
}

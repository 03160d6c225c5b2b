package main

import (
	"context"
	"time"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/worker"
)

// clockEvery is how often the worker looks for contacts that time alone moves: what is due is promised to the minute.
const clockEvery = time.Second

func (p storePort) ListSegments(ctx context.Context, cursor string, limit int) (api.Page[audience.SegmentState], error) {
	page, err := p.Store.ListSegments(ctx, cursor, limit)
	return api.Page[audience.SegmentState](page), err
}

func (p storePort) ListMembers(ctx context.Context, key, cursor string, limit int) (api.Page[audience.Member], error) {
	page, err := p.Store.ListMembers(ctx, key, cursor, limit)
	return api.Page[audience.Member](page), err
}

// companiesAtOnce is how many companies the clock job looks at in a turn: it goes round all of them, so that a sum is some seconds old.
const companiesAtOnce = 500

// keepTime runs the clock job.
func (p *process) keepTime(ctx context.Context) error {
	after := ""
	c := worker.Clock{
		Source: p.store, Every: clockEvery, Now: p.now, Log: p.log.With("part", "clock"),
		Also: func(ctx context.Context, now time.Time) (err error) {
			after, err = p.store.RefreshCompanies(ctx, now, after, companiesAtOnce)
			return err
		},
	}
	c.Run(ctx)
	return nil
}

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

// releaseAtOnce is how many contacts of a resumed journey are woken in a turn of the clock job.
const releaseAtOnce = 500

// keepTime runs the clock job, and wakes those who stand in a journey that was resumed.
func (p *process) keepTime(ctx context.Context) error {
	after, poke := "", p.poker().Poke
	c := worker.Clock{
		Source: p.store, Every: clockEvery, Now: p.now, Log: p.log.With("part", "clock"),
		Also: func(ctx context.Context, now time.Time) (err error) {
			if after, err = p.store.RefreshCompanies(ctx, now, after, companiesAtOnce); err != nil {
				return err
			}
			return p.release(ctx, now, poke)
		},
	}
	c.Run(ctx)
	return nil
}

// release wakes a part of those who stand in a journey that was resumed. Whom a poke fails to wake is marked, and swept later.
func (p *process) release(ctx context.Context, now time.Time, poke func(ctx context.Context, contactID string) error) error {
	ids, err := p.store.ReleaseResumed(ctx, now, releaseAtOnce)
	for _, id := range ids {
		if err := poke(ctx, id); err != nil {
			return err
		}
	}
	return err
}

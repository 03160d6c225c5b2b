package main

import (
	"context"
	"time"

	"throughline.dev/throughline/worker"
)

const (
	eraseEvery = time.Second
	// eraseSettle is longer than any poke takes that was under way when the rows were deleted: the api's, the sweeper's, the store's.
	eraseSettle = 15 * time.Second
)

// erase runs the job that carries out erasures.
func (p *process) erase(ctx context.Context) error {
	e := worker.Eraser{
		Source: p.store, Histories: &worker.TemporalHistories{Client: p.temporal, Namespace: p.config.TemporalNamespace},
		Every: eraseEvery, Settle: eraseSettle, Now: p.now, Log: p.log.With("part", "eraser"),
	}
	e.Run(ctx)
	return nil
}

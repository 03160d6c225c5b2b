package main

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/store"
)

// broadcastPending finds broadcasts that nobody woke, for the sweeper.
type broadcastPending struct{ *store.Store }

// StalePending gives the ids of broadcasts.
func (p broadcastPending) StalePending(ctx context.Context, now time.Time, olderThan time.Duration, limit int) ([]string, error) {
	return p.StaleBroadcasts(ctx, now, olderThan, limit)
}

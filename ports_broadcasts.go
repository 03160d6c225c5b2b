package main

import (
	"context"
	"time"

	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
)

// broadcastPort hands the store's broadcasts to the api.
type broadcastPort struct {
	*store.Store
	wake func(broadcastID string)
}

// ListBroadcasts converts types and nothing else.
func (p broadcastPort) ListBroadcasts(ctx context.Context, cursor string, limit int) (api.Page[email.Broadcast], error) {
	page, err := p.Store.ListBroadcasts(ctx, cursor, limit)
	return api.Page[email.Broadcast](page), err
}

// ListRecipients converts types and nothing else.
func (p broadcastPort) ListRecipients(ctx context.Context, id string, filter email.RecipientCount, cursor string, limit int) (api.Page[email.BroadcastRecipient], error) {
	page, err := p.Store.ListRecipients(ctx, id, filter, cursor, limit)
	return api.Page[email.BroadcastRecipient](page), err
}

// ActOnBroadcast wakes the broadcast's workflow behind the back of whoever has changed it.
func (p broadcastPort) ActOnBroadcast(ctx context.Context, id string, action email.BroadcastAction, expected *int64, by string, now time.Time) (email.Broadcast, error) {
	b, err := p.Store.ActOnBroadcast(ctx, id, action, expected, by, now)
	if err == nil {
		p.wake(b.ID)
	}
	return b, err
}

// wakeBroadcast pokes a broadcast. A poke that fails is swept later.
func (p *process) wakeBroadcast(broadcastID string) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), wakePatience) //nolint:forbidigo // whoever caused it does not wait
		defer cancel()
		if err := p.poker().PokeBroadcast(ctx, broadcastID); err != nil {
			p.log.Warn("broadcast not woken, left to the sweeper", "broadcast_id", broadcastID, "error", err.Error())
		}
	}()
}

// broadcastPending finds broadcasts that nobody woke, for the sweeper.
type broadcastPending struct{ *store.Store }

// StalePending gives the ids of broadcasts.
func (p broadcastPending) StalePending(ctx context.Context, now time.Time, olderThan time.Duration, limit int) ([]string, error) {
	return p.StaleBroadcasts(ctx, now, olderThan, limit)
}

package main

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/worker"
)

const (
	// trackingKey is the id of the key that signs tracking tokens. A second key gets another.
	trackingKey byte = 1
	settleEvery      = time.Second
)

// trackingPort reads the tokens of links and pictures, and records who asks for them.
type trackingPort struct {
	store  *store.Store
	tokens email.TrackingTokens
	holds  email.ClickHolds
	decoy  string // where the link that nobody sees leads
}

// FollowLink tells where a link leads. The token says which link it is; where that leads was stored with the mail.
func (p trackingPort) FollowLink(ctx context.Context, token string, r email.Request, now time.Time) (string, error) {
	id, link, ok := p.tokens.Read(email.TrackClick, token)
	if !ok {
		return "", fault.New(fault.NotFound, "unknown_link", "This link is not one of ours.")
	}
	t, err := p.store.FindTracking(ctx, id)
	if err != nil {
		return "", err //nolint:wrapcheck // the api says what it was about
	}
	target := p.decoy
	if link != email.HoneypotLink {
		if link >= len(t.Links) {
			return "", fault.New(fault.NotFound, "unknown_link", "This link is not one of ours.")
		}
		target = t.Links[link]
	}
	if t.Silent {
		return target, nil
	}
	actor, reason := email.JudgeClick(r, link)
	click := email.Click{Link: link, At: now, Actor: actor, Reason: reason}
	return target, p.store.RecordClick(ctx, id, click, p.holds.Due(r, actor, t.SentAt, now)) //nolint:wrapcheck // as above
}

// SeeOpen notes that the picture of a mail was loaded.
func (p trackingPort) SeeOpen(ctx context.Context, token string, r email.Request, now time.Time) error {
	id, _, ok := p.tokens.Read(email.TrackOpen, token)
	if !ok || r.Head {
		return nil
	}
	t, err := p.store.FindTracking(ctx, id)
	if fault.KindOf(err) == fault.NotFound && err != nil || t.Silent {
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // as above
	}
	actor, _ := email.JudgeOpen(r, t.SentAt, now)
	return p.store.RecordOpen(ctx, id, actor, now) //nolint:wrapcheck // as above
}

// FindMessage finds a message with what became of it.
func (p storePort) FindMessage(ctx context.Context, id string) (email.Message, error) {
	m, err := p.Store.FindMessage(ctx, id)
	if err != nil {
		return m, err //nolint:wrapcheck // an adapter
	}
	return m, p.Engage(ctx, &m) //nolint:wrapcheck // an adapter
}

// settle turns people's clicks into events.
func (p *process) settle(ctx context.Context) error {
	s := worker.Settler{Source: p.store, Ingest: p.takeIn, Poke: p.poker().Poke, Every: settleEvery, Now: p.now, Log: p.log.With("part", "settler")}
	s.Run(ctx)
	return nil
}

// takeIn takes events in by the way that all events come.
func (p *process) takeIn(ctx context.Context, now time.Time, events []audience.Incoming) ([]audience.Accepted, error) {
	accepted, err := p.events.Ingest(ctx, now, events)
	if err != nil && fault.KindOf(err) == fault.NotFound { // the contact has been erased, and its mail with it
		return nil, nil
	}
	return accepted, err //nolint:wrapcheck // the settler says what it was about
}

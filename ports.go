package main

import (
	"context"
	"time"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store"
)

// The adapters between what the store offers and what activities and api ask for. They convert types and nothing else.

// contactsPort hands the store's contact transaction to the activities.
type contactsPort struct{ *store.Store }

func (p contactsPort) InContact(ctx context.Context, contactID string, fn func(ctx context.Context, tx activities.ContactTx) error) error {
	return p.Store.InContact(ctx, contactID, func(ctx context.Context, tx *store.ContactTx) error { return fn(ctx, tx) })
}

// storePort hands the store to the api.
type storePort struct{ *store.Store }

func (p storePort) FindKey(ctx context.Context, key string) (api.APIKey, error) {
	k, err := p.Store.FindKey(ctx, key)
	return api.APIKey(k), err
}

func (p storePort) ListKeys(ctx context.Context, cursor string, limit int) (api.Page[api.KeyRecord], error) {
	page, err := p.Store.ListKeys(ctx, cursor, limit)
	out := api.Page[api.KeyRecord]{Next: page.Next}
	for _, k := range page.Items {
		out.Items = append(out.Items, api.KeyRecord(k))
	}
	return out, err
}

func (p storePort) CreateKey(ctx context.Context, name, key string, scopes []string, now time.Time) (api.KeyRecord, error) {
	k, err := p.Store.CreateKey(ctx, name, key, scopes, now)
	return api.KeyRecord(k), err
}

func (p storePort) FindSession(ctx context.Context, token string, now time.Time) (api.APIKey, error) {
	k, err := p.Store.FindSession(ctx, token, now)
	return api.APIKey(k), err
}

func (p storePort) SavePersonSession(ctx context.Context, token string, who api.APIKey, now, until time.Time) error {
	return p.Store.SavePersonSession(ctx, token, store.APIKey(who), now, until)
}

func (p storePort) ListJourneys(ctx context.Context, cursor string, limit int) (api.Page[journey.Draft], error) {
	page, err := p.Store.ListJourneys(ctx, cursor, limit)
	return api.Page[journey.Draft](page), err
}

func (p storePort) ListVersions(ctx context.Context, key, cursor string, limit int) (api.Page[journey.Version], error) {
	page, err := p.Store.ListVersions(ctx, key, cursor, limit)
	return api.Page[journey.Version](page), err
}

func (p storePort) ListSnippets(ctx context.Context, cursor string, limit int) (api.Page[email.SnippetVersion], error) {
	page, err := p.Store.ListSnippets(ctx, cursor, limit)
	return api.Page[email.SnippetVersion](page), err
}

func (p storePort) ListTemplates(ctx context.Context, cursor string, limit int) (api.Page[email.TemplateVersion], error) {
	page, err := p.Store.ListTemplates(ctx, cursor, limit)
	return api.Page[email.TemplateVersion](page), err
}

func (p storePort) ListMessages(ctx context.Context, filter email.MessageFilter, cursor string, limit int) (api.Page[email.Message], error) {
	page, err := p.Store.ListMessages(ctx, filter, cursor, limit)
	return api.Page[email.Message](page), err
}

func (p storePort) ListHandoffs(ctx context.Context, status sales.HandoffStatus, cursor string, limit int) (api.Page[sales.Handoff], error) {
	page, err := p.Store.ListHandoffs(ctx, status, cursor, limit)
	return api.Page[sales.Handoff](page), err
}

func (p storePort) Timeline(ctx context.Context, contactID string, after int64, limit int) ([]api.TimelineEntry, int64, error) {
	entries, next, err := p.Store.Timeline(ctx, contactID, after, limit)
	out := make([]api.TimelineEntry, 0, len(entries))
	for _, e := range entries {
		out = append(out, api.TimelineEntry{
			ID: e.JournalID, At: e.At, Kind: string(e.Kind), Event: e.Event, Decision: e.Decision, Message: e.Message, Handoff: e.Handoff, Score: e.Score, Pause: e.Pause,
			Delivery: e.Delivery,
		})
	}
	return out, next, err
}

func (p storePort) Enroll(ctx context.Context, contactID, key, idempotencyKey string, now time.Time, allowed func(journey.Version, *journey.Enrollment) (bool, string)) (journey.Enrollment, bool, error) {
	return p.Store.Enroll(ctx, contactID, key, idempotencyKey, now, allowed)
}

// unsubscribePort reads the token of an unsubscribe link and withdraws the consent that it names.
type unsubscribePort struct {
	store  *store.Store
	tokens email.UnsubscribeTokens
}

const topicMarketing = "marketing"

func (p unsubscribePort) Unsubscribe(ctx context.Context, token string) (test bool, err error) {
	if p.tokens.IsTest(token) {
		return true, nil
	}
	contactID, err := p.read(token)
	if err != nil {
		return false, err
	}
	return false, p.store.SetConsent(ctx, contactID, topicMarketing, false, "one_click", time.Now())
}

func (p unsubscribePort) read(token string) (string, error) {
	contactID, _, ok := p.tokens.Read(token)
	if !ok {
		return "", fault.New(fault.NotFound, "unknown_link", "This link is not one of ours.")
	}
	return contactID, nil
}

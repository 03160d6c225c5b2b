package main

import (
	"context"
	"fmt"
	"time"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
)

// directPort makes the messages that the api is asked for.
type directPort struct {
	store     *store.Store
	renderers *activities.Renderers
	composer  *activities.Composer
	now       func() time.Time
}

// SendDirect writes the message under the contact's row lock, with the very bytes that are sent.
func (p directPort) SendDirect(ctx context.Context, in api.DirectMessage) (m email.Message, created bool, err error) {
	template, err := p.store.FindTemplate(ctx, in.Template)
	if err != nil {
		return m, false, err //nolint:wrapcheck // the api says what it was about
	}
	renderer, err := p.renderers.Current(ctx)
	if err != nil {
		return m, false, err //nolint:wrapcheck // as above
	}
	err = p.store.InContact(ctx, in.ContactID, func(ctx context.Context, tx *store.ContactTx) error {
		before, err := tx.DirectMessage(ctx, in.ID, in.RequestHash)
		if err != nil {
			return err //nolint:wrapcheck // as above
		}
		if before != nil {
			m = *before
			return nil
		}
		created = true
		m, err = p.write(ctx, tx, in, template, renderer)
		if err != nil {
			return err
		}
		return tx.InsertDirect(ctx, m, in.RequestHash)
	})
	return m, created, err //nolint:wrapcheck // as above
}

func (p directPort) write(ctx context.Context, tx *store.ContactTx, in api.DirectMessage, template email.TemplateVersion, renderer *email.Renderer) (email.Message, error) {
	now := p.now()
	m := email.Message{
		ID: in.ID, ContactID: tx.Contact().ID, Template: template.Key, TemplateVersion: template.Version, Class: email.Transactional, State: email.Queued,
		ToAddress: in.To, CreatedAt: now, UpdatedAt: now,
	}
	if m.ToAddress == "" {
		m.ToAddress = tx.Contact().Email
	}
	var err error
	if m.Reason, err = activities.Refusal(ctx, tx, m); err != nil {
		return m, err //nolint:wrapcheck // the api says what it was about
	}
	if m.Reason != "" {
		m.State = email.Skipped
		return m, nil
	}
	facts := tx.Facts(ctx, &audience.Event{Properties: in.Data}, now)
	if err := p.composer.Compose(renderer, template.Template, "", facts, &m); err != nil {
		return m, fmt.Errorf("compose: %w", err)
	}
	return m, nil
}

// directSource finds what is to be sent.
type directSource struct{ *store.Store }

// ListDirect converts types and nothing else.
func (s directSource) ListDirect(ctx context.Context, now time.Time, delays []time.Duration, limit int) ([]activities.DirectRef, error) {
	refs, err := s.Store.ListDirect(ctx, now, delays, limit)
	out := make([]activities.DirectRef, len(refs))
	for i, ref := range refs {
		out[i] = activities.DirectRef(ref)
	}
	return out, err //nolint:wrapcheck // converts types and nothing else
}

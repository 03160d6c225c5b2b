package main

import (
	"context"
	"fmt"
	"time"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
)

// previewPort shows mails by the code that makes them for sending.
type previewPort struct {
	store     *store.Store
	renderers *activities.Renderers
	composer  *activities.Composer
	writer    *activities.Copywriter
	now       func() time.Time
}

// Preview makes the mail, and keeps nothing of it.
func (p previewPort) Preview(ctx context.Context, template email.Template, contactID string, brand *email.Brand) (email.Rendered, error) {
	var renderer *email.Renderer
	var err error
	if brand != nil {
		renderer = email.NewRenderer(*brand)
	} else if renderer, err = p.renderers.Current(ctx); err != nil {
		return email.Rendered{}, err //nolint:wrapcheck // the api says what it was about
	}
	var out email.Rendered
	err = p.with(ctx, contactID, func(facts audience.Facts) (err error) {
		out, err = p.compose(renderer, template, facts)
		return err
	})
	return out, err
}

// with runs fn with what is known of a contact, or of somebody made up.
func (p previewPort) with(ctx context.Context, contactID string, fn func(audience.Facts) error) error {
	if contactID == "" {
		return fn(sample{now: p.now()})
	}
	return p.store.InContact(ctx, contactID, func(ctx context.Context, tx *store.ContactTx) error { //nolint:wrapcheck // the api says what it was about
		return fn(tx.Facts(ctx, nil, p.now()))
	})
}

func (p previewPort) compose(renderer *email.Renderer, template email.Template, facts audience.Facts) (email.Rendered, error) {
	m := email.Message{ID: "00000000-0000-0000-0000-000000000000", ContactID: facts.Contact().ID, Class: email.Marketing, ToAddress: "you@example.com", CreatedAt: p.now()}
	if err := p.composer.Compose(renderer, template, "", facts, &m); err != nil {
		return email.Rendered{}, fmt.Errorf("compose: %w", err)
	}
	return email.Rendered{Subject: m.Subject, HTML: m.HTML, Text: m.Text}, nil
}

// SuggestSubjects asks the model once, as for mails: within the budget, and with the same checks.
func (p previewPort) SuggestSubjects(ctx context.Context, template email.Template, brief string) ([]email.SubjectLine, error) {
	return p.writer.Candidates(ctx, template, email.SubjectSource{Template: template.Key, Locale: template.Locale, Written: template.Subject, Brief: brief}) //nolint:wrapcheck // the api says what it was about
}

// sample is somebody made up, for mails that are shown without a contact.
type sample struct{ now time.Time }

func (s sample) Contact() audience.Contact {
	return audience.Contact{
		ID: "00000000-0000-0000-0000-000000000000", UserID: "user-1", Email: "sam@example.com", Stage: "lead",
		Traits: map[string]any{"first_name": "Sam", "last_name": "Sample", "plan": "trial", "seats": 5.0},
	}
}

func (s sample) Company() map[string]any                      { return map[string]any{"name": "Sample & Co"} }
func (s sample) Event() *audience.Event                       { return nil }
func (s sample) Persona() string                              { return "" }
func (s sample) Score() audience.Score                        { return audience.Score{} }
func (s sample) Now() time.Time                               { return s.now }
func (s sample) Object(string) (map[string]any, error)        { return nil, nil }
func (s sample) InSegment(string) (bool, error)               { return false, nil }
func (s sample) Last(string) (at time.Time, ok bool, e error) { return time.Time{}, false, nil }
func (s sample) Tally(audience.Question) (audience.Tally, error) {
	return audience.Tally{}, nil
}

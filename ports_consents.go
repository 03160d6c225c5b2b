package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/activities"
	"throughline.dev/throughline/api"
	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
)

const (
	sourcePage      = "preference_page" // the recipient chose on the page behind a link of ours
	sourceConfirmed = "confirmed"       // the recipient followed the link of a confirmation mail
	askAgain        = time.Hour         // how often somebody is asked to confirm, whoever asks for it
)

// confirmationSpace makes ids of confirmation mails.
var confirmationSpace = uuid.MustParse("5d1c7c52-53c5-4a5e-8d2c-0c3f6f3d9a05") //nolint:gochecknoglobals // a constant that Go cannot declare as one

func (p *process) consents() consentPort {
	return consentPort{store: p.store, tokens: p.tokens, renderers: p.brands, composer: p.composer(), base: p.config.PublicURL + "/s/", now: p.now}
}

// consentPort records what contacts permit and withdraw.
type consentPort struct {
	store     *store.Store
	tokens    email.UnsubscribeTokens
	renderers *activities.Renderers
	composer  *activities.Composer
	base      string // of confirmation links
	now       func() time.Time
}

// SaveConsent records it at once, unless it is a yes that has to be confirmed.
func (p consentPort) SaveConsent(ctx context.Context, contactID, topic string, granted bool, source string) (audience.Consent, error) {
	if granted && !audience.BuiltIn(topic) {
		t, err := p.store.FindTopic(ctx, topic)
		if err != nil {
			return audience.Consent{}, err //nolint:wrapcheck // the api says what it was about
		}
		if t.OptIn {
			return p.ask(ctx, contactID, t, source)
		}
	}
	now := p.now()
	consent := audience.Consent{Topic: topic, Granted: granted, Source: source, At: now}
	return consent, p.store.SetConsent(ctx, contactID, topic, granted, source, now) //nolint:wrapcheck // as above
}

// ask sends the mail that asks for a confirmation, in the transaction that notes that it is asked for.
func (p consentPort) ask(ctx context.Context, contactID string, topic audience.Topic, source string) (audience.Consent, error) {
	renderer, err := p.renderers.Current(ctx)
	if err != nil {
		return audience.Consent{}, err //nolint:wrapcheck // as above
	}
	now := p.now()
	consent := audience.Consent{Topic: topic.Key, Source: source, At: now, Pending: true}
	err = p.store.InContact(ctx, contactID, func(ctx context.Context, tx *store.ContactTx) error {
		asked, err := tx.AskConsent(ctx, topic.Key, source, now)
		if err != nil {
			return err //nolint:wrapcheck // as above
		}
		if !asked { // it is permitted already
			consent.Pending, consent.Granted = false, true
			return nil
		}
		m, err := p.confirmation(ctx, tx, topic, renderer, now)
		if err != nil {
			return err
		}
		if before, err := tx.Message(ctx, m.ID); err != nil || before != nil {
			return err //nolint:wrapcheck // as above
		}
		return tx.InsertDirect(ctx, m, nil)
	})
	return consent, err //nolint:wrapcheck // as above
}

func (p consentPort) confirmation(ctx context.Context, tx *store.ContactTx, topic audience.Topic, renderer *email.Renderer, now time.Time) (email.Message, error) {
	contact := tx.Contact()
	hour := now.UTC().Truncate(askAgain).Format(time.RFC3339)
	m := email.Message{
		ID: uuid.NewSHA1(confirmationSpace, []byte(contact.ID+"|"+topic.Key+"|"+hour)).String(), ContactID: contact.ID, Template: email.TemplateConfirmation,
		Class: email.Transactional, State: email.Queued, ToAddress: contact.Email, CreatedAt: now, UpdatedAt: now,
	}
	var err error
	if m.Reason, err = activities.Refusal(ctx, tx, m); err != nil {
		return m, err //nolint:wrapcheck // the api says what it was about
	}
	if m.Reason != "" {
		m.State = email.Skipped
		return m, nil
	}
	token, err := p.tokens.SignTopic(contact.ID, topic.Key)
	if err != nil {
		return m, fmt.Errorf("sign confirmation link: %w", err)
	}
	facts := tx.Facts(ctx, &audience.Event{Properties: map[string]any{"topic": topic.Name, "description": topic.Description, "link": p.base + token}}, now)
	if err := p.composer.Compose(renderer, email.ConfirmationTemplate(contact.Locale), "", facts, &m); err != nil {
		return m, fmt.Errorf("compose: %w", err)
	}
	return m, nil
}

// Preferences finds whom a link belongs to, and what it has chosen.
func (p consentPort) Preferences(ctx context.Context, token string) (api.Preferences, error) {
	if p.tokens.IsTest(token) {
		return api.Preferences{Test: true}, nil
	}
	var out api.Preferences
	err := p.inContact(ctx, token, func(ctx context.Context, tx *store.ContactTx) (err error) {
		out.Locale = tx.Contact().Locale
		out.Choices, out.Marketing, err = tx.Choices(ctx)
		return err
	})
	return out, err
}

// SavePreferences grants what is named and withdraws the rest. Who wants anything wants marketing mail again.
func (p consentPort) SavePreferences(ctx context.Context, token string, topics []string) error {
	return p.inContact(ctx, token, func(ctx context.Context, tx *store.ContactTx) error {
		choices, _, err := tx.Choices(ctx)
		if err != nil {
			return err //nolint:wrapcheck // the api says what it was about
		}
		wanted := map[string]bool{}
		for _, key := range topics {
			wanted[key] = true
		}
		granted := map[string]bool{audience.TopicMarketing: len(choices) == 0}
		for _, choice := range choices {
			granted[choice.Key] = wanted[choice.Key]
			granted[audience.TopicMarketing] = granted[audience.TopicMarketing] || wanted[choice.Key]
		}
		return tx.SetConsents(ctx, granted, sourcePage, p.now())
	})
}

// inContact runs fn for the contact of an unsubscribe link.
func (p consentPort) inContact(ctx context.Context, token string, fn func(ctx context.Context, tx *store.ContactTx) error) error {
	contactID, _, ok := p.tokens.Read(token)
	if !ok {
		return unknownLink()
	}
	return p.store.InContact(ctx, contactID, fn) //nolint:wrapcheck // the api says what it was about
}

func unknownLink() error {
	return fault.New(fault.NotFound, "unknown_link", "This link is not one of ours.")
}

// CheckConfirm tells what a confirmation link would grant.
func (p consentPort) CheckConfirm(ctx context.Context, token string) (audience.Topic, string, error) {
	contactID, key, ok := p.tokens.ReadTopic(token)
	if !ok {
		return audience.Topic{}, "", unknownLink()
	}
	topic, err := p.store.FindTopic(ctx, key)
	if err != nil {
		return topic, "", err //nolint:wrapcheck // as above
	}
	locale := ""
	err = p.store.InContact(ctx, contactID, func(_ context.Context, tx *store.ContactTx) error {
		locale = tx.Contact().Locale
		return nil
	})
	return topic, locale, err //nolint:wrapcheck // as above
}

// Confirm grants it. It takes back a no to marketing as a whole, too: the contact has just said yes.
func (p consentPort) Confirm(ctx context.Context, token string) (audience.Topic, string, error) {
	topic, locale, err := p.CheckConfirm(ctx, token)
	if err != nil {
		return topic, locale, err
	}
	contactID, _, _ := p.tokens.ReadTopic(token)
	err = p.store.InContact(ctx, contactID, func(ctx context.Context, tx *store.ContactTx) error {
		return tx.SetConsents(ctx, map[string]bool{topic.Key: true, audience.TopicMarketing: true}, sourceConfirmed, p.now())
	})
	return topic, locale, err //nolint:wrapcheck // as above
}

// The api's pages of topics.
func (p storePort) ListTopics(ctx context.Context, cursor string, limit int) (api.Page[audience.Topic], error) {
	page, err := p.Store.ListTopics(ctx, cursor, limit)
	return api.Page[audience.Topic](page), err
}

// The api's pages of suppressions.
func (p storePort) ListSuppressions(ctx context.Context, reason, cursor string, limit int) (api.Page[audience.SuppressedAddress], error) {
	page, err := p.Store.ListSuppressions(ctx, reason, cursor, limit)
	return api.Page[audience.SuppressedAddress](page), err
}

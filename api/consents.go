package api

import (
	"context"
	"fmt"
	"net/http"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
)

// ConsentChanges records what contacts permit and withdraw.
type ConsentChanges interface {
	// SaveConsent records what was said on behalf of a contact. Of a topic that has to be confirmed, a yes is pending until then: confirm tells that, and a
	// mail with the link is on its way.
	SaveConsent(ctx context.Context, contactID, topic string, granted bool, source string) (audience.Consent, error)
	// Preferences finds whom a link belongs to, and what it has chosen.
	Preferences(ctx context.Context, token string) (Preferences, error)
	// SavePreferences records what somebody has chosen on the page; topics that are not named are withdrawn.
	SavePreferences(ctx context.Context, token string, topics []string) error
	// Confirm grants the consent that a link of a confirmation mail stands for.
	Confirm(ctx context.Context, token string) (topic audience.Topic, locale string, err error)
	// CheckConfirm tells what it would grant.
	CheckConfirm(ctx context.Context, token string) (topic audience.Topic, locale string, err error)
}

// Preferences are what a recipient can choose.
type Preferences struct {
	Locale    string
	Marketing bool // gets marketing mail at all
	Choices   []audience.Choice
	Test      bool // the link of a mail that somebody only looks at
}

// SaveConsentInput says what a contact permits.
type SaveConsentInput struct {
	ID    string `path:"id" doc:"The contact."`
	Topic string `path:"topic" maxLength:"64" doc:"A topic, or marketing for all of them together, or tracking for being seen to read mail."`
	Body  struct {
		Granted bool   `json:"granted"`
		Source  string `json:"source" minLength:"1" maxLength:"100" doc:"Who said so, and where: kept as proof." example:"checkout form"`
	}
}

type consentOutput struct{ Body audience.Consent }

func (s *server) consentRoutes() {
	handle(s, operation{id: "save-consent", method: http.MethodPut, path: "/v1/contacts/{id}/consents/{topic}", tag: "consents", summary: "Record what a contact permits",
		doc: "A withdrawal holds from the answer on: no marketing mail of the topic starts after it. A yes to a topic with `opt_in` is `pending` until the contact confirms it by the link in a mail that " +
			"is sent for it (one an hour at most).",
		access: anyOf(ScopeIngest, ScopeJourneys)}, s.saveConsent)
}

func (s *server) saveConsent(ctx context.Context, in *SaveConsentInput) (*consentOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	if !audience.BuiltIn(in.Topic) {
		if _, err := s.Topics.FindTopic(ctx, in.Topic); fault.KindOf(err) == fault.NotFound {
			return nil, invalid("/topic", "unknown_topic", "There is no such topic.")
		} else if err != nil {
			return nil, fmt.Errorf("find topic: %w", err)
		}
	}
	consent, err := s.ConsentChanges.SaveConsent(ctx, id, in.Topic, in.Body.Granted, in.Body.Source)
	if err != nil {
		return nil, fmt.Errorf("save consent: %w", err)
	}
	return &consentOutput{Body: consent}, nil
}

package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
	"throughline.dev/throughline/internal/sales"
)

// memory is every port at once, as small as the HTTP-level tests need: what the database promises is tested in the
// store, on a real one. fail, when set, is what every call answers.
type memory struct {
	mu        sync.Mutex
	fail      error
	keysDown  error // what finding a key answers
	keys      map[string]APIKey
	sessions  map[string]memorySession
	keyAsked  int
	events    []audience.Incoming
	seen      map[string]audience.Accepted // by source and message id
	contacts  map[string]audience.Contact
	poked     []string
	drafts    map[string]journey.Draft
	versions  map[string][]journey.Version
	enrolled  map[string]journey.Enrollment
	templates map[string]email.TemplateVersion
	messages  map[string]email.Message
	handoffs  map[string]sales.Handoff
	stopped   map[string]int
	chosen    map[string][]string // topics by link
	timeline  []TimelineEntry
	decided   []any
	panics    bool
	slowTouch chan struct{} // noting the use of a key waits for it
}

const (
	contactID = "0b9c5a0e-6f0b-4d5e-9a39-2f5c4f1f6a11"
	messageOf = "5b1c5a0e-6f0b-4d5e-9a39-2f5c4f1f6a12"
	handoffID = "7d1c5a0e-6f0b-4d5e-9a39-2f5c4f1f6a13"
	absentID  = "ffffffff-6f0b-4d5e-9a39-2f5c4f1f6a14"
)

func newMemory() *memory {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m := &memory{
		keys: map[string]APIKey{}, sessions: map[string]memorySession{}, seen: map[string]audience.Accepted{}, contacts: map[string]audience.Contact{},
		drafts: map[string]journey.Draft{}, versions: map[string][]journey.Version{}, enrolled: map[string]journey.Enrollment{},
		templates: map[string]email.TemplateVersion{}, messages: map[string]email.Message{}, handoffs: map[string]sales.Handoff{},
		stopped: map[string]int{}, slowTouch: make(chan struct{}),
	}
	close(m.slowTouch)
	for _, scope := range []Scope{ScopeIngest, ScopeRead, ScopeJourneys, ScopeSales, ScopeAdmin} {
		m.keys["key-"+string(scope)] = APIKey{ID: "id-" + string(scope), Name: string(scope), Scopes: []string{string(scope)}}
	}
	m.contacts[contactID] = audience.Contact{ID: contactID, UserID: "u1", Email: "ana@example.test", Stage: "lead", CreatedAt: at, UpdatedAt: at}
	m.messages[messageOf] = email.Message{ID: messageOf, ContactID: contactID, Template: "welcome", Class: email.Marketing, State: email.Sent,
		ToAddress: "ana@example.test", Subject: "Hi", HTML: "<p>Hi</p>", Text: "Hi", CreatedAt: at, UpdatedAt: at}
	m.handoffs[handoffID] = sales.Handoff{ID: handoffID, ContactID: contactID, Journey: "trial", StepID: "sales", Status: sales.HandoffOpen,
		Why: "Five seats", CreatedAt: at, UpdatedAt: at}
	for i := range 5 {
		m.timeline = append(m.timeline, TimelineEntry{ID: int64(i + 1), At: at, Kind: "event", Event: &audience.Event{
			ID: uuid.NewString(), ContactID: contactID, Seq: int64(i + 1), Type: audience.TypeTrack, Name: fmt.Sprintf("Event %d", i+1),
			Properties: map[string]any{}, OccurredAt: at, ReceivedAt: at}})
	}
	return m
}

// start locks and answers what every call begins with.
func (m *memory) start() (func(), error) {
	m.mu.Lock()
	if m.panics {
		m.mu.Unlock()
		panic("secret-in-panic")
	}
	return m.mu.Unlock, m.fail
}

func absent(what string) error { return fault.New(fault.NotFound, "not_found", "no such "+what) }

func (m *memory) FindKey(_ context.Context, key string) (APIKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keyAsked++
	if m.keysDown != nil {
		return APIKey{}, m.keysDown
	}
	found, ok := m.keys[key]
	if !ok {
		return APIKey{}, fault.New(fault.Unauthorized, "unauthorized", "no such key")
	}
	return found, nil
}

func (m *memory) Ingest(_ context.Context, _ time.Time, events []audience.Incoming) ([]audience.Accepted, error) {
	done, err := m.start()
	defer done()
	if err != nil {
		return nil, err
	}
	out := make([]audience.Accepted, 0, len(events))
	for _, e := range events {
		if e.ContactID != "" {
			if _, ok := m.contacts[e.ContactID]; !ok {
				return nil, absent("contact")
			}
		}
		id := e.Source + "\x00" + e.MessageID
		if before, ok := m.seen[id]; ok {
			before.Duplicate, before.Poke = true, false
			out = append(out, before)
			continue
		}
		m.events = append(m.events, e)
		a := audience.Accepted{ContactID: contactID, EventID: uuid.NewString(), Seq: int64(len(m.events)), Poke: e.Name == "Wake"}
		m.seen[id] = a
		out = append(out, a)
	}
	return out, nil
}

func (m *memory) Poke(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.poked = append(m.poked, id)
	return m.fail
}

func (m *memory) SaveDraft(_ context.Context, draft journey.Draft, expected *int64, now time.Time) (journey.Draft, error) {
	done, err := m.start()
	defer done()
	if err != nil {
		return journey.Draft{}, err
	}
	before := m.drafts[draft.Journey]
	if expected != nil && *expected != before.Revision {
		return journey.Draft{}, fault.New(fault.Conflict, "stale_revision", "Somebody else has saved.")
	}
	draft.Revision, draft.LiveVersion, draft.UpdatedAt = before.Revision+1, before.LiveVersion, now
	m.drafts[draft.Journey] = draft
	return draft, nil
}

func (m *memory) FindDraft(_ context.Context, key string) (journey.Draft, error) {
	done, err := m.start()
	defer done()
	if err != nil {
		return journey.Draft{}, err
	}
	draft, ok := m.drafts[key]
	if !ok {
		return journey.Draft{}, absent("journey")
	}
	return draft, nil
}

func (m *memory) PublishVersion(_ context.Context, key string, document json.RawMessage, hash string, _ []string, _ *int64, now time.Time) (journey.Version, error) {
	done, err := m.start()
	defer done()
	if err != nil {
		return journey.Version{}, err
	}
	for _, v := range m.versions[key] {
		if v.Hash == hash {
			return v, nil
		}
	}
	v := journey.Version{Journey: key, Number: len(m.versions[key]) + 1, Hash: hash, Document: document, PublishedAt: now}
	m.versions[key] = append(m.versions[key], v)
	draft := m.drafts[key]
	draft.LiveVersion = v.Number
	m.drafts[key] = draft
	return v, nil
}

func (m *memory) ListJourneys(_ context.Context, after string, limit int) (Page[journey.Draft], error) {
	done, err := m.start()
	defer done()
	var page Page[journey.Draft]
	keys := make([]string, 0, len(m.drafts))
	for key := range m.drafts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if key <= after {
			continue
		}
		if len(page.Items) == limit {
			page.Next = page.Items[limit-1].Journey
			break
		}
		page.Items = append(page.Items, m.drafts[key])
	}
	return page, err
}

func (m *memory) ListVersions(_ context.Context, key, _ string, _ int) (Page[journey.Version], error) {
	done, err := m.start()
	defer done()
	return Page[journey.Version]{Items: m.versions[key]}, err
}

func (m *memory) FindVersion(_ context.Context, key string, number int) (journey.Version, error) {
	done, err := m.start()
	defer done()
	if err == nil && number > len(m.versions[key]) {
		err = absent("version")
	}
	if err != nil {
		return journey.Version{}, err
	}
	return m.versions[key][number-1], nil
}

func (m *memory) Enroll(_ context.Context, contactID, key, idempotency string, now time.Time,
	allowed func(journey.Version, *journey.Enrollment) (bool, string)) (journey.Enrollment, bool, error) {
	done, err := m.start()
	defer done()
	if err != nil {
		return journey.Enrollment{}, false, err
	}
	versions := m.versions[key]
	switch {
	case m.drafts[key].Revision == 0:
		return journey.Enrollment{}, false, absent("journey")
	case len(versions) == 0:
		return journey.Enrollment{}, false, fault.New(fault.Conflict, "not_published", "The journey has no live version.")
	}
	if e, ok := m.enrolled[idempotency]; ok {
		return e, false, nil
	}
	var last *journey.Enrollment
	for _, e := range m.enrolled {
		last = &e
	}
	if ok, code := allowed(versions[len(versions)-1], last); !ok {
		return journey.Enrollment{}, false, fault.New(fault.Conflict, code, "The journey's rule of re-entry does not allow it.")
	}
	e := journey.Enrollment{ID: uuid.NewString(), ContactID: contactID, Journey: key, Version: 1, State: journey.Active, EnteredAt: now}
	m.enrolled[idempotency] = e
	return e, true, nil
}

func (m *memory) SaveTemplate(_ context.Context, t email.Template, hash string, _ *int, _ time.Time) (email.TemplateVersion, error) {
	done, err := m.start()
	defer done()
	before := m.templates[t.Key]
	if err != nil || before.Hash == hash {
		return before, err
	}
	m.templates[t.Key] = email.TemplateVersion{Template: t, Version: before.Version + 1, Hash: hash}
	return m.templates[t.Key], nil
}

func (m *memory) FindTemplate(_ context.Context, key string) (email.TemplateVersion, error) {
	done, err := m.start()
	defer done()
	t, ok := m.templates[key]
	if err == nil && !ok {
		err = absent("template")
	}
	return t, err
}

func (m *memory) TemplateExists(_ context.Context, key string) (bool, error) {
	done, err := m.start()
	defer done()
	_, ok := m.templates[key]
	return ok, err
}

func (m *memory) ListTemplates(context.Context, string, int) (Page[email.TemplateVersion], error) {
	done, err := m.start()
	defer done()
	var page Page[email.TemplateVersion]
	for _, t := range m.templates {
		page.Items = append(page.Items, t)
	}
	return page, err
}

func (m *memory) FindContact(_ context.Context, id string) (audience.Contact, error) {
	done, err := m.start()
	defer done()
	c, ok := m.contacts[id]
	if err == nil && !ok {
		err = absent("contact")
	}
	return c, err
}

func (m *memory) FindContactBy(_ context.Context, kind, value string) (audience.Contact, error) {
	done, err := m.start()
	defer done()
	for _, c := range m.contacts {
		if (kind == "user_id" && c.UserID == value) || (kind == "email" && c.Email == value) {
			return c, err
		}
	}
	if err == nil {
		err = absent("contact")
	}
	return audience.Contact{}, err
}

func (m *memory) Timeline(_ context.Context, id string, after int64, limit int) ([]TimelineEntry, int64, error) {
	done, err := m.start()
	defer done()
	if _, ok := m.contacts[id]; err == nil && !ok {
		err = absent("contact")
	}
	if err != nil {
		return nil, 0, err
	}
	rest := m.timeline[min(int(after), len(m.timeline)):]
	if len(rest) > limit {
		return rest[:limit], rest[limit-1].ID, nil
	}
	return rest, 0, nil
}

func (m *memory) ListMessages(context.Context, email.MessageFilter, string, int) (Page[email.Message], error) {
	done, err := m.start()
	defer done()
	message := m.messages[messageOf]
	message.HTML, message.Text = "", ""
	return Page[email.Message]{Items: []email.Message{message}}, err
}

func (m *memory) FindMessage(_ context.Context, id string) (email.Message, error) {
	done, err := m.start()
	defer done()
	message, ok := m.messages[id]
	if err == nil && !ok {
		err = absent("message")
	}
	return message, err
}

func (m *memory) ListHandoffs(_ context.Context, status sales.HandoffStatus, _ string, _ int) (Page[sales.Handoff], error) {
	done, err := m.start()
	defer done()
	var page Page[sales.Handoff]
	for _, h := range m.handoffs {
		if status == "" || h.Status == status {
			page.Items = append(page.Items, h)
		}
	}
	return page, err
}

func (m *memory) FindHandoff(_ context.Context, id string) (sales.Handoff, error) {
	done, err := m.start()
	defer done()
	h, ok := m.handoffs[id]
	if err == nil && !ok {
		err = absent("handoff")
	}
	return h, err
}

func (m *memory) Decide(ctx context.Context, id, action string, value any) (sales.Handoff, error) {
	h, err := m.FindHandoff(ctx, id)
	if err != nil {
		return h, err
	}
	done, _ := m.start()
	defer done()
	next := map[string]sales.HandoffStatus{ActionAccept: sales.HandoffAccepted, ActionReject: sales.HandoffRejected,
		ActionWon: sales.HandoffWon, ActionLost: sales.HandoffLost}[action]
	if err := h.Status.CanBecome(next); err != nil {
		return h, err
	}
	h.Status = next
	m.handoffs[id] = h
	m.decided = append(m.decided, value)
	return h, nil
}

func (m *memory) Unsubscribe(ctx context.Context, token string) (bool, error) {
	if p, err := (memoryConsents{m}).Preferences(ctx, token); err != nil || p.Test {
		return p.Test, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped[token]++
	return false, nil
}

// memoryConsents knows a few links.
type memoryConsents struct{ *memory }

func (m memoryConsents) Preferences(_ context.Context, token string) (Preferences, error) {
	done, err := m.start()
	defer done()
	if err != nil {
		return Preferences{}, err
	}
	switch token {
	case "good-token":
		return Preferences{Marketing: true}, nil
	case "german-token":
		return Preferences{Marketing: true, Locale: "de_AT"}, nil
	case "topics-token":
		return Preferences{Marketing: true, Choices: []audience.Choice{{Topic: audience.Topic{Key: "news", Name: "News"}, Gets: true}, {Topic: audience.Topic{Key: "beta", Name: "<b>Beta"}}}}, nil
	case "test-token":
		return Preferences{Test: true}, nil
	}
	return Preferences{}, absent("token")
}

func (m memoryConsents) SavePreferences(_ context.Context, token string, topics []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.chosen == nil {
		m.chosen = map[string][]string{}
	}
	m.chosen[token] = topics
	return nil
}

func (m memoryConsents) CheckConfirm(_ context.Context, token string) (audience.Topic, string, error) {
	if token != "good-token" {
		return audience.Topic{}, "", absent("token")
	}
	return audience.Topic{Key: "beta", Name: "Beta"}, "", nil
}

func (m memoryConsents) Confirm(ctx context.Context, token string) (audience.Topic, string, error) {
	topic, locale, err := m.CheckConfirm(ctx, token)
	if err == nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.stopped["confirmed"]++
	}
	return topic, locale, err
}

func (m memoryConsents) SaveConsent(_ context.Context, _, topic string, granted bool, source string) (audience.Consent, error) {
	return audience.Consent{Topic: topic, Granted: granted, Source: source, At: testNow}, nil
}

// memoryTopics knows one.
type memoryTopics struct{}

func (memoryTopics) ListTopics(context.Context, string, int) (Page[audience.Topic], error) {
	return Page[audience.Topic]{Items: []audience.Topic{{Key: "news", Name: "News"}}}, nil
}

func (memoryTopics) FindTopic(_ context.Context, key string) (audience.Topic, error) {
	if key != "news" {
		return audience.Topic{}, absent("topic")
	}
	return audience.Topic{Key: key, Name: "News"}, nil
}

func (memoryTopics) SaveTopic(_ context.Context, t audience.Topic, _ time.Time) (audience.Topic, error) {
	return t, nil
}

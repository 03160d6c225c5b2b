package store

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// ListTopics lists topics by key; the cursor is the last key of the page before.
func (s *Store) ListTopics(ctx context.Context, cursor string, limit int) (Page[audience.Topic], error) {
	limit = clampLimit(limit)
	rows, err := s.q.ListTopics(ctx, cursor, int32(limit+1))
	if err != nil {
		return Page[audience.Topic]{}, failure("list topics", err)
	}
	convert := func(row dbsqlc.Topic) (audience.Topic, error) { return audience.Topic(row), nil }
	return page(rows, limit, convert, func(row dbsqlc.Topic) string { return row.Key })
}

// FindTopic finds a topic.
func (s *Store) FindTopic(ctx context.Context, key string) (audience.Topic, error) {
	row, err := s.q.FindTopic(ctx, key)
	if isNoRows(err) {
		return audience.Topic{}, fault.New(fault.NotFound, "topic_not_found", "There is no such topic.")
	}
	return audience.Topic(row), failure("find topic", err)
}

// SaveTopic makes a topic, or changes one. What contacts have said of it stays.
func (s *Store) SaveTopic(ctx context.Context, t audience.Topic, now time.Time) (audience.Topic, error) {
	row, err := s.q.SaveTopic(ctx, dbsqlc.SaveTopicParams{Key: t.Key, Name: clean(t.Name), Description: clean(t.Description), OptIn: t.OptIn, Now: now})
	return audience.Topic(row), failure("save topic", err)
}

// AskConsent notes that somebody has asked for a topic on behalf of a contact, and has to confirm it. What is permitted already stays.
func (tx *ContactTx) AskConsent(ctx context.Context, topic, source string, now time.Time) (asked bool, err error) {
	n, err := tx.q.AskConsent(ctx, dbsqlc.AskConsentParams{ContactID: tx.id, Topic: clean(topic), Source: clean(source), At: now})
	return n == 1, failure("ask for consent", err)
}

// SetConsents records what the contact has permitted and withdrawn, all of it or nothing.
func (tx *ContactTx) SetConsents(ctx context.Context, granted map[string]bool, source string, now time.Time) error {
	for topic, yes := range granted {
		err := tx.q.UpsertConsent(ctx, dbsqlc.UpsertConsentParams{ContactID: tx.id, Topic: clean(topic), Granted: yes, Source: clean(source), At: now})
		if err != nil {
			return failure("set consent", err)
		}
	}
	return nil
}

// Choices are all topics, each with whether the contact gets its mail, and whether it gets marketing mail at all.
func (tx *ContactTx) Choices(ctx context.Context) (choices []audience.Choice, marketing bool, err error) {
	topics, err := tx.q.ListTopics(ctx, "", maxChoices)
	if err != nil {
		return nil, false, failure("list topics", err)
	}
	consents, err := tx.q.ListConsents(ctx, tx.id)
	if err != nil {
		return nil, false, failure("list consents", err)
	}
	said := map[string]dbsqlc.Consent{}
	for _, c := range consents {
		said[c.Topic] = c
	}
	whole, withdrawn := said[audience.TopicMarketing]
	marketing = !withdrawn || whole.Granted
	for _, row := range topics {
		consent, known := said[row.Key]
		gets := marketing && (known && consent.Granted || !known && !row.OptIn)
		choices = append(choices, audience.Choice{Topic: audience.Topic(row), Gets: gets, Pending: consent.Pending})
	}
	return choices, marketing, nil
}

// maxChoices is how many topics a page of preferences shows: more, and nobody would choose.
const maxChoices = 100

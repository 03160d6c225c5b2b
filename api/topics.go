package api

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// Topics keeps what mail is about, as recipients choose.
type Topics interface {
	ListTopics(ctx context.Context, cursor string, limit int) (Page[audience.Topic], error)
	FindTopic(ctx context.Context, key string) (audience.Topic, error)
	SaveTopic(ctx context.Context, t audience.Topic, now time.Time) (audience.Topic, error)
}

var topicKey = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// SaveTopicInput is a topic.
type SaveTopicInput struct {
	Key  string `path:"key" maxLength:"64" doc:"The topic."`
	Body struct {
		Name        string `json:"name" minLength:"1" maxLength:"100" doc:"What recipients read." example:"Product news"`
		Description string `json:"description,omitempty" maxLength:"300" doc:"A sentence for recipients." example:"What is new, once a month."`
		OptIn       bool   `json:"opt_in,omitempty" doc:"Nobody gets it who has not asked for it, and confirmed that by a link in a mail."`
	}
}

type topicOutput struct{ Body audience.Topic }

func (s *server) topicRoutes() {
	handle(s, operation{id: "list-topics", method: http.MethodGet, path: "/v1/topics", tag: "consents", summary: "List topics", doc: "By key.", access: anyOf(ScopeJourneys, ScopeRead)}, s.listTopics)
	handle(s, operation{id: "save-topic", method: http.MethodPut, path: "/v1/topics/{key}", tag: "consents", summary: "Save a topic",
		doc:    "Recipients see it on their page of preferences. With `opt_in`, mail of the topic is withheld from whoever has not confirmed it. A topic is never deleted: what people have said of it must hold.",
		access: anyOf(ScopeJourneys)}, s.saveTopic)
}

func (s *server) listTopics(ctx context.Context, in *ListInput) (*listOutput[audience.Topic], error) {
	cursor, err := in.keyCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Topics.ListTopics(ctx, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	return listOf(page), nil
}

func (s *server) saveTopic(ctx context.Context, in *SaveTopicInput) (*topicOutput, error) {
	if !topicKey.MatchString(in.Key) || audience.BuiltIn(in.Key) {
		return nil, invalid("/key", "bad_key", "A topic's key has lower case letters, digits and dashes, at most 64; `marketing` stands for all topics together, and `tracking` for being seen to read mail.")
	}
	topic, err := s.Topics.SaveTopic(ctx, audience.Topic{Key: in.Key, Name: in.Body.Name, Description: in.Body.Description, OptIn: in.Body.OptIn}, s.now())
	if err != nil {
		return nil, fmt.Errorf("save topic: %w", err)
	}
	return &topicOutput{Body: topic}, nil
}

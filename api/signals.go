package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
)

// SignalInput is an event of a contact that the caller knows by id.
type SignalInput struct {
	ID             string `path:"id" doc:"The contact."`
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"100" doc:"In place of message_id."`
	Body           struct {
		Name       string         `json:"name" minLength:"1" maxLength:"200" doc:"The event's name." example:"Invoice Paid"`
		Properties map[string]any `json:"properties,omitempty" doc:"What conditions see as event.*."`
		OccurredAt time.Time      `json:"occurred_at,omitempty" doc:"When it happened; now, when absent or in the future."`
		MessageID  string         `json:"message_id,omitempty" maxLength:"100" doc:"The same id is accepted once; a repetition is a duplicate."`
	}
}

// SignalOutput says what became of it.
type SignalOutput struct {
	Body SignalReceipt
}

// SignalReceipt is the place of the event in the contact's history.
type SignalReceipt struct {
	EventID   string `json:"event_id"`
	Seq       int64  `json:"seq" doc:"Its number among the contact's events."`
	Duplicate bool   `json:"duplicate" doc:"It had been accepted before; nothing was done again."`
}

func (s *server) signalRoutes() {
	handle(s, operation{
		id: "send-signal", method: http.MethodPost, path: "/v1/contacts/{id}/signals", tag: "tracking", status: http.StatusAccepted,
		summary: "Tell a contact's journey that something happened",
		doc:     "202 means that the event is committed; the journey goes on by itself.",
		access:  anyOf(ScopeIngest),
	}, s.signal)
}

func (s *server) signal(ctx context.Context, in *SignalInput) (*SignalOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	event := audience.Incoming{
		Source: keyOf(ctx).ID, Type: audience.TypeSignal, ContactID: id, Name: in.Body.Name, Properties: in.Body.Properties,
		MessageID: idempotencyKey(in.Body.MessageID, in.IdempotencyKey), OccurredAt: in.Body.OccurredAt.UTC(),
	}
	if !plausible(event.OccurredAt) || event.OccurredAt.After(now) {
		event.OccurredAt = now
	}
	accepted, err := s.Events.Ingest(ctx, now, []audience.Incoming{event})
	if err != nil {
		return nil, fmt.Errorf("ingest signal: %w", err)
	}
	s.afterCommit(accepted)
	if len(accepted) != 1 {
		return nil, fmt.Errorf("ingest signal: %d results for one event", len(accepted))
	}
	a := accepted[0]
	if a.Blocked {
		return nil, invalid("/name", "blocked_event", "Events of this name are blocked in the catalogue.")
	}
	return &SignalOutput{Body: SignalReceipt{EventID: a.EventID, Seq: a.Seq, Duplicate: a.Duplicate}}, nil
}

// idempotencyKey is the first that was given, or a new one: then a repetition can't be recognised.
func idempotencyKey(given ...string) string {
	for _, key := range given {
		if key != "" {
			return key
		}
	}
	return uuid.NewString()
}

package api

import (
	"context"
	"fmt"
	"net/http"

	"throughline.dev/throughline/internal/email"
)

// MessagesInput lists the mail of one contact.
type MessagesInput struct {
	ContactID string `query:"contact_id" required:"true" maxLength:"36"`
	ListInput
}

type messageOutput struct{ Body email.Message }

func (s *server) messageRoutes() {
	rep := anyOf(ScopeRead, ScopeSales)
	handle(s, operation{id: "list-messages", method: http.MethodGet, path: "/v1/messages", tag: "messages",
		summary: "List a contact's messages", doc: "Newest first, without html and text.", access: rep}, s.listMessages)
	handle(s, operation{id: "find-message", method: http.MethodGet, path: "/v1/messages/{id}", tag: "messages",
		summary: "Read a message", doc: "With html and text as they were sent.", access: rep}, s.findMessage)
}

func (s *server) listMessages(ctx context.Context, in *MessagesInput) (*listOutput[email.Message], error) {
	contactID, err := parseID(in.ContactID)
	if err != nil { // a filter that matches nobody
		return listOf(Page[email.Message]{}), nil
	}
	cursor, _, err := in.numberCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Messages.ListMessages(ctx, contactID, cursor, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list messages: %w", err)
	}
	return listOf(page), nil
}

func (s *server) findMessage(ctx context.Context, in *struct {
	ID string `path:"id" doc:"The message."`
}) (*messageOutput, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	message, err := s.Messages.FindMessage(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("find message: %w", err)
	}
	return &messageOutput{Body: message}, nil
}

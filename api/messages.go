package api

import (
	"context"
	"fmt"
	"maps"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/email"
)

// MessagesInput lists mail: of everybody, or as narrowed.
type MessagesInput struct {
	ContactID string `query:"contact_id" maxLength:"36" doc:"Only the mail of this contact."`
	State     string `query:"state" enum:"queued,sending,sent,deferred,rejected,unknown,skipped,failed" doc:"Only mail in this state."`
	Reason    string `query:"reason" maxLength:"64" doc:"Only mail that was not sent for this reason: see /v1/reasons."`
	Journey   string `query:"journey" maxLength:"64" doc:"Only mail of this journey."`
	Template  string `query:"template" maxLength:"64" doc:"Only mail made from this template."`
	ListInput
}

type messageOutput struct{ Body email.Message }

func (s *server) messageRoutes() {
	rep := anyOf(ScopeRead, ScopeSales)
	handle(s, operation{id: "list-messages", method: http.MethodGet, path: "/v1/messages", tag: "messages",
		summary: "List messages", doc: "Sent and not sent, the newest first, without html and text.", access: rep}, s.listMessages)
	handle(s, operation{id: "find-message", method: http.MethodGet, path: "/v1/messages/{id}", tag: "messages",
		summary: "Read a message", doc: "With html and text as they were sent.", access: rep}, s.findMessage)
	s.plain(&huma.Operation{OperationID: "show-message", Method: http.MethodGet, Path: "/v1/messages/{id}/html", Tags: []string{"messages"},
		Summary: "A message as it looked", Description: "For a frame of the pages: it runs nothing, loads nothing and sends nothing.\n\nScope: `read` or `sales`.",
		Security: []map[string][]string{{"key": {}}}, Parameters: []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses: s.showResponses(),
	}, rep, s.showMessage)
}

func (s *server) listMessages(ctx context.Context, in *MessagesInput) (*listOutput[email.Message], error) {
	filter := email.MessageFilter{State: email.State(in.State), Reason: in.Reason, Journey: in.Journey, Template: in.Template}
	if in.ContactID != "" {
		var err error
		if filter.ContactID, err = parseID(in.ContactID); err != nil { // a filter that matches nobody
			return listOf(Page[email.Message]{}), nil
		}
	}
	cursor, _, err := in.numberCursor()
	if err != nil {
		return nil, err
	}
	page, err := s.Messages.ListMessages(ctx, filter, cursor, in.Limit)
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

// framePolicy is for the HTML of a mail inside a frame of ours: nothing in it runs, is loaded from elsewhere or leaves the frame.
const framePolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"

func (s *server) showResponses() map[string]*huma.Response {
	out := s.problemResponses([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound})
	maps.Copy(out, map[string]*huma.Response{"200": textResponse("The HTML.", "text/html")})
	return out
}

func (s *server) showMessage(c *gin.Context) {
	id, err := parseID(c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	message, err := s.Messages.FindMessage(c.Request.Context(), id)
	if err != nil {
		s.fail(c, fmt.Errorf("show message: %w", err))
		return
	}
	c.Header("Content-Security-Policy", framePolicy)
	c.Data(http.StatusOK, "text/html; charset=utf-8", []byte(message.HTML))
}

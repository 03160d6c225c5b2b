package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/fault"
)

// Webhooks takes what mail providers tell of mails. A provider that is not turned on is NotFound, a call that is not its own Unauthorized.
type Webhooks interface {
	// TakeWebhook returns when the call is kept and what it demands is committed.
	TakeWebhook(ctx context.Context, provider string, header http.Header, body []byte) error
	// Busy is what a provider must be answered so that it calls again.
	Busy(provider string) int
}

func (s *server) webhookRoutes() {
	responses := s.problemResponses([]int{http.StatusUnauthorized, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable})
	responses["204"] = &huma.Response{Description: "Kept, and what it demands is done."}
	s.plain(&huma.Operation{OperationID: "take-webhook", Method: http.MethodPost, Path: "/v1/webhooks/{provider}", Tags: []string{"webhooks"},
		Summary:     "What a mail provider reports of mails",
		Description: "For the provider alone: each call is checked by its signature or secret. A second copy changes nothing.",
		Parameters:  []*huma.Param{{Name: "provider", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"ses", "sendgrid", "postmark", "mailgun", "resend", "brevo"}}}},
		Responses:   responses,
	}, access{open: true}, s.takeWebhook)
}

func (s *server) takeWebhook(c *gin.Context) {
	if s.Webhooks == nil {
		writeProblem(c, notFound())
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		writeProblem(c, newProblem(http.StatusRequestEntityTooLarge, "too_large", "The body is larger than 1 MB."))
		return
	case err != nil:
		writeProblem(c, newProblem(http.StatusBadRequest, "malformed", "The body was cut off."))
		return
	}
	provider := c.Param("provider")
	if err := s.Webhooks.TakeWebhook(c.Request.Context(), provider, c.Request.Header, body); err != nil {
		err = fmt.Errorf("take webhook: %w", err)
		if kind := fault.KindOf(err); kind == fault.Unavailable || kind == fault.Internal {
			s.logFailure(c.Request.Context(), routeOf(c), err)
			writeProblem(c, newProblem(s.Webhooks.Busy(provider), "try_again", "This can't be kept now; try again later."))
			return
		}
		s.fail(c, err)
		return
	}
	c.Status(http.StatusNoContent)
}

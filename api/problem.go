package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/fault"
)

// problemType is the media type of RFC 9457.
const problemType = "application/problem+json"

// retryAfter is what clients are told to wait, in whole seconds, when a part that we need is down. SDKs parse an
// integer here, not an HTTP date.
const retryAfter = "5"

// Problem is the one shape of every error that leaves the API, after RFC 9457.
type Problem struct {
	Type      string          `json:"type" doc:"A URI for the kind of problem; about:blank means that title says it all." example:"about:blank"`
	Title     string          `json:"title" doc:"The HTTP status in words." example:"Unprocessable Entity"`
	Status    int             `json:"status" doc:"The HTTP status." example:"422"`
	Detail    string          `json:"detail,omitempty" doc:"What went wrong here, in a sentence."`
	Code      string          `json:"code" doc:"Stable, for programs." example:"invalid"`
	RequestID string          `json:"request_id" doc:"Quote it when you ask for help."`
	Problems  []fault.Problem `json:"problems,omitempty" doc:"Every single thing that is wrong with the input, at once."`

	wait int // seconds until it is worth trying again; 0: the usual
}

// Error and the two methods below are what huma asks of an error that it may send as a response.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the HTTP status of the response.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType replaces the negotiated media type.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders tells clients when to come back and how to authenticate.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch p.Status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		h.Set("Retry-After", retryAfter)
		if p.wait > 0 {
			h.Set("Retry-After", strconv.Itoa(p.wait))
		}
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="throughline"`)
	}
	return h
}

// statusOf is one of the two places that translate a fault (the other makes it retryable or not for Temporal).
func statusOf(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Unauthorized:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Limited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// problemOf makes the response for an error. What is not a fault, or is an internal one, says nothing of its cause.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	f, ok := fault.As(err)
	if !ok {
		if errors.Is(err, context.DeadlineExceeded) {
			return newProblem(http.StatusServiceUnavailable, "unavailable", "This took too long. Try again in a moment.")
		}
		return newProblem(http.StatusInternalServerError, "internal", "Something went wrong on our side.")
	}
	status := statusOf(f.Kind)
	switch status {
	case http.StatusInternalServerError:
		return newProblem(status, "internal", "Something went wrong on our side.")
	case http.StatusServiceUnavailable:
		return newProblem(status, "unavailable", "A part that this needs is not available. Try again in a moment.")
	case http.StatusNotFound:
		// The same answer for what is absent and for what is hidden.
		return notFound()
	}
	out := newProblem(status, f.Code, f.Message)
	out.Problems = f.Problems
	return out
}

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

func notFound() *Problem {
	return newProblem(http.StatusNotFound, "not_found", "There is nothing here.")
}

// invalid is a 422 with one problem at one place.
func invalid(path, code, message string) *Problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid", "The request has a problem; see problems.")
	p.Problems = []fault.Problem{{Path: path, Code: code, Level: fault.LevelError, Message: message}}
	return p
}

// writeProblem ends a plain gin request with a problem.
func writeProblem(c *gin.Context, p *Problem) {
	out := *p
	out.RequestID = requestID(c.Request.Context())
	for name, values := range out.GetHeaders() {
		c.Writer.Header()[name] = values
	}
	body, err := json.Marshal(out)
	if err != nil { // cannot happen: the struct holds strings and numbers
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.Abort()
	c.Data(out.Status, problemType, append(body, '\n')) // as huma's encoder ends it
}

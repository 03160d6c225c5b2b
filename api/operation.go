package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// maxBody is the largest body of the management API. Journeys and templates have a smaller limit of their own.
const (
	maxBody     = 1 << 20
	maxDocument = 256 << 10
)

// operation declares a route of the management API: where it is, who may call it, and how it is described.
type operation struct {
	id      string
	method  string
	path    string // with {parameters}
	tag     string
	summary string
	doc     string
	access  access
	status  int   // of success; 200 when zero
	twin    int   // another status of success, with the same body
	maxBody int64 // maxBody when zero
	errors  []int // further statuses than those that every operation may answer
}

// handle registers an operation. Errors of the handler become problems, and what clients are not told is logged.
func handle[I, O any](s *server, op operation, handler func(ctx context.Context, in *I) (*O, error)) {
	if op.maxBody == 0 {
		op.maxBody = maxBody
	}
	route := ginPath(op.path)
	s.access.add(op.method, route, op.access)
	h := s.describeOperation(op)
	h.MaxBodyBytes = -1 // bounded already, by readBody
	// Without this huma limits reading to five seconds on the connection, though the body has been read by then; and when
	// the limit passes, net/http takes the client for gone and cancels whatever the handler waits for.
	h.BodyReadTimeout = -1
	h.Middlewares = huma.Middlewares{s.rejectUnknownQuery, s.readBody(op.maxBody)}
	huma.Register(s.huma, h, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			s.logFailure(ctx, route, err)
			return nil, problemOf(err)
		}
		return out, nil
	})
	if op.twin != 0 { // the map is the one in the document
		h.Responses[strconv.Itoa(op.twin)] = h.Responses[strconv.Itoa(op.status)]
	}
}

func (s *server) describeOperation(op operation) huma.Operation {
	statuses := append([]int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError,
		http.StatusServiceUnavailable}, op.errors...)
	var security []map[string][]string
	doc := op.doc
	if !op.access.open {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
		security = []map[string][]string{{"key": {}}}
		doc = strings.TrimSpace(doc + "\n\nScope: " + scopeList(op.access) + ".")
	}
	if strings.Contains(op.path, "{") {
		statuses = append(statuses, http.StatusNotFound)
	}
	if op.method != http.MethodGet {
		statuses = append(statuses, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	return huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Tags: []string{op.tag}, Summary: op.summary,
		Description: doc, DefaultStatus: op.status, Security: security, Responses: s.problemResponses(statuses),
	}
}

func scopeList(a access) string {
	names := make([]string, 0, len(a.scopes))
	for _, sc := range a.scopes {
		names = append(names, "`"+string(sc)+"`")
	}
	return strings.Join(names, " or ")
}

// problemResponses describes error statuses, so that huma doesn't describe them by its own error type.
func (s *server) problemResponses(statuses []int) map[string]*huma.Response {
	schema := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	out := map[string]*huma.Response{}
	for _, status := range statuses {
		out[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{problemType: {Schema: schema}},
		}
	}
	return out
}

func ginPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// rejectUnknownQuery refuses query keys that an operation doesn't declare: a misspelt filter must not list everything.
func (s *server) rejectUnknownQuery(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	known := map[string]bool{}
	for _, p := range ctx.Operation().Parameters {
		known[p.Name] = known[p.Name] || p.In == "query"
	}
	for name := range c.Request.URL.Query() {
		if !known[name] {
			p := invalid("query:"+fieldName(name), "unknown_parameter", "There is no query parameter of this name here.")
			p.Status, p.Title = http.StatusBadRequest, http.StatusText(http.StatusBadRequest)
			writeProblem(c, p)
			return
		}
	}
	next(ctx)
}

// readBody reads the body before huma does: with the right status for what is too large, cut off or too slow, and with
// a limit on nesting.
func (s *server) readBody(limit int64) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := humagin.Unwrap(ctx)
		if c.Request.Body == nil || c.Request.Body == http.NoBody {
			next(ctx)
			return
		}
		body, p := readLimited(c, limit)
		if p != nil {
			writeProblem(c, p)
			return
		}
		if strings.Contains(c.ContentType(), "json") {
			if err := checkJSON(body); err != nil {
				writeProblem(c, newProblem(http.StatusBadRequest, "malformed", "The JSON is nested too deeply, or holds a NUL character."))
				return
			}
		}
		c.Request.Body = io.NopCloser(bytes.NewReader(body))
		next(ctx)
	}
}

func readLimited(c *gin.Context, limit int64) ([]byte, *Problem) {
	tooLarge := newProblem(http.StatusRequestEntityTooLarge, "too_large", "The body is too large.")
	if c.Request.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(c.Request.Body, limit+1))
	if int64(len(body)) > limit {
		return nil, tooLarge
	}
	if err == nil {
		return body, nil
	}
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		return nil, newProblem(http.StatusRequestTimeout, "timeout", "The body took too long to arrive.")
	}
	return nil, newProblem(http.StatusBadRequest, "malformed", "The body was cut off.")
}

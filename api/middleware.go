package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
)

type contextKey int

const (
	requestIDKey contextKey = iota
	apiKeyKey
)

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey).(string)
	return id
}

func withKey(ctx context.Context, k APIKey) context.Context {
	return context.WithValue(ctx, apiKeyKey, k)
}

// keyOf is the key that a request came with; the routes that ask for it are behind authorize.
func keyOf(ctx context.Context) APIKey {
	k, _ := ctx.Value(apiKeyKey).(APIKey)
	return k
}

const requestIDHeader = "X-Request-Id"

// identify gives each request an id, or keeps the caller's when it is a plain one.
func identify(c *gin.Context) {
	id := c.GetHeader(requestIDHeader)
	if fieldName(id) != id {
		id = uuid.NewString()
	}
	c.Header(requestIDHeader, id)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), requestIDKey, id))
}

// observe writes the access log and the request metrics. The route's template stands for the URL: paths hold contact
// ids and unsubscribe tokens, queries hold addresses.
func (s *server) observe(c *gin.Context) {
	start := s.now()
	c.Next()
	route, took := routeOf(c), s.now().Sub(start)
	s.metrics.request(c.Request.Method, route, c.Writer.Status(), took)
	level := slog.LevelInfo
	switch {
	case c.Writer.Status() >= http.StatusInternalServerError:
		level = slog.LevelError
	case isProbe(route):
		level = slog.LevelDebug
	}
	s.log.LogAttrs(c.Request.Context(), level, "request",
		slog.String("method", method(c.Request.Method)), slog.String("route", route), slog.Int("status", c.Writer.Status()),
		slog.Duration("took", took), slog.Int("bytes", c.Writer.Size()),
		slog.String("key_id", keyOf(c.Request.Context()).ID), slog.String("request_id", requestID(c.Request.Context())))
}

func isProbe(route string) bool {
	return route == "/healthz" || route == "/readyz" || route == "/metrics"
}

// routeOf names the route of a request by its template. All that is served by the designer is one route.
func routeOf(c *gin.Context) string {
	if route := c.FullPath(); route != "" {
		return route
	}
	return "(none)"
}

// method keeps made-up methods out of logs and labels.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// recoverPanics answers a panic with a problem that says nothing, and logs where it was.
func (s *server) recoverPanics(c *gin.Context) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if err, ok := r.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(r) // net/http's own way to cut a connection
		}
		if c.Request.Context().Err() != nil { // the client has gone while it was being written to
			c.Abort()
			return
		}
		s.log.ErrorContext(c.Request.Context(), "panic", "route", routeOf(c), "type", fmt.Sprintf("%T", r),
			"stack", string(debug.Stack()), "request_id", requestID(c.Request.Context()))
		if c.Writer.Written() {
			c.Abort()
			return
		}
		writeProblem(c, problemOf(errPanic))
	}()
	c.Next()
}

var errPanic = errors.New("panic")

// fail ends a plain gin request with the problem of an error, and logs what the client is not told.
func (s *server) fail(c *gin.Context, err error) {
	s.logFailure(c.Request.Context(), routeOf(c), err)
	writeProblem(c, problemOf(err))
}

func (s *server) logFailure(ctx context.Context, route string, err error) {
	if problemOf(err).Status < http.StatusInternalServerError || ctx.Err() != nil {
		return
	}
	s.log.ErrorContext(ctx, "request failed", "route", route, "error", err, "request_id", requestID(ctx))
}

// policy is the content security policy of everything but the designer's pages and the unsubscribe page, which set
// their own: nothing that we answer is meant to run.
const policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"

func (s *server) secure(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if s.https {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// refuseBadText keeps what no text column can hold (NUL, broken UTF-8) away from the handlers. A path with it names
// nothing that exists.
func refuseBadText(c *gin.Context) {
	for _, p := range c.Params {
		if !validText(p.Value) {
			writeProblem(c, notFound())
			return
		}
	}
	for name, values := range c.Request.URL.Query() {
		if !validText(name) || !validText(strings.Join(values, "")) {
			writeProblem(c, newProblem(http.StatusBadRequest, "malformed", "The query string holds text that is not valid."))
			return
		}
	}
}

func validText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// timeout bounds the work for one request, below the server's write time-out, so that a slow part ends as a problem
// and not as a cut connection.
func timeout(d time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeoutCause(c.Request.Context(), d, errTooSlow)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}

var errTooSlow = errors.New("request took too long")

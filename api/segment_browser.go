package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// preflightSeconds is how long a browser need not ask again; browsers have lower limits of their own (two hours, a day).
const preflightSeconds = "86400"

// browserRoute registers a route that pages of any origin may call, with and without a trailing slash.
func (s *server) browserRoute(op *huma.Operation, a access, handler gin.HandlerFunc) {
	s.plain(op, a, handler)
	twin := ginPath(op.Path) + "/"
	s.access.add(op.Method, twin, a)
	s.engine.Handle(op.Method, twin, handler)
	s.browser.add(op.Path)
}

// browserPaths are the paths that pages of any origin may call. The key's place in a path may hold anything.
type browserPaths map[string]bool

const anything = "*"

// add takes a path with at most one {parameter}.
func (b browserPaths) add(path string) {
	before, rest, found := strings.Cut(path, "{")
	if _, after, closed := strings.Cut(rest, "}"); found && closed {
		path = before + anything + after
	}
	b[path] = true
}

func (b browserPaths) has(path string) bool {
	path = strings.TrimSuffix(path, "/")
	if b[path] {
		return true
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = anything
		if part != "" && b[strings.Join(parts, "/")] {
			return true
		}
		parts[i] = part
	}
	return false
}

// allowOrigins lets pages of any origin send events and read the answer, Retry-After included. Nothing that these
// routes do depends on a cookie, so there are no credentials to allow. A preflight is answered here: whoever sends it
// has no key yet.
func (s *server) allowOrigins(c *gin.Context) {
	if !s.browser.has(c.Request.URL.Path) {
		return
	}
	h := c.Writer.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // also for pages that embed only what says so
	if c.Request.Method != http.MethodOptions {
		return
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	// By name: a star doesn't cover Authorization. The star is for the headers that a page adds of its own.
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding, AnonymousId, SentAt, X-Retry-Count, *")
	h.Set("Access-Control-Max-Age", preflightSeconds)
	c.AbortWithStatus(http.StatusNoContent)
}

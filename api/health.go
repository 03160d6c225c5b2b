package api

import (
	"context"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// readyTimeout is how long a part may take to say that it is there.
const readyTimeout = 2 * time.Second

// Health is the answer of the probes: no more than names and up or down. Why is in the log.
type Health struct {
	Status string            `json:"status" enum:"ok,down"`
	Checks map[string]string `json:"checks,omitempty" doc:"ok or down, by part."`
}

func (s *server) healthRoutes() {
	schema := s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Health](), true, "Health")
	health := func(description string) *huma.Response {
		return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	}
	s.plain(&huma.Operation{OperationID: "healthz", Method: http.MethodGet, Path: "/healthz", Tags: []string{"operations"},
		Summary: "Is the process up?", Responses: map[string]*huma.Response{"200": health("It is.")}},
		access{open: true}, func(c *gin.Context) { c.JSON(http.StatusOK, Health{Status: "ok"}) })
	s.plain(&huma.Operation{OperationID: "readyz", Method: http.MethodGet, Path: "/readyz", Tags: []string{"operations"},
		Summary: "Is all that it needs there?", Responses: map[string]*huma.Response{
			"200": health("All parts are there."), "503": health("The checks name what is down.")}},
		access{open: true}, s.ready)
	s.plain(&huma.Operation{OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"operations"},
		Summary:     "Prometheus metrics",
		Description: "Open, like the probes, so that a scraper needs no key: it has counts and route templates, no contacts. Keep it off the public network in your proxy.",
		Responses:   map[string]*huma.Response{"200": textResponse("The metrics.", "text/plain")}},
		access{open: true}, gin.WrapH(s.metrics.handler))
	s.plain(&huma.Operation{OperationID: "openapi", Method: http.MethodGet, Path: "/openapi.json", Tags: []string{"operations"},
		Summary: "This document", Responses: map[string]*huma.Response{"200": {Description: "OpenAPI 3.1.",
			Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}}}},
		access{open: true}, s.serveDocument)
}

// ready asks all parts at once.
func (s *server) ready(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTimeout)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	out, status := Health{Status: "ok", Checks: map[string]string{}}, http.StatusOK
	for name, check := range s.Readiness {
		wg.Go(func() {
			err := check(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				out.Checks[name] = "ok"
				return
			}
			s.log.WarnContext(ctx, "not ready", "part", name, "error", err)
			out.Checks[name], out.Status, status = "down", "down", http.StatusServiceUnavailable
		})
	}
	wg.Wait()
	if status != http.StatusOK {
		c.Header("Retry-After", retryAfter)
	}
	c.JSON(status, out) // maps are marshalled in the order of their keys
}

package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/fault"
)

// newHuma makes the part of the API that is generated from Go types, and the document that describes all of it.
func (s *server) newHuma() huma.API {
	version := s.Version
	if version == "" {
		version = "dev"
	}
	config := huma.DefaultConfig("Throughline", version)
	config.CreateHooks = nil // it would add $schema to every body
	config.DocsPath = ""     // its page loads scripts from a public CDN
	config.SchemasPath = ""
	config.OpenAPIPath = "" // served by document(), as JSON only
	config.Transformers = []huma.Transformer{cleanErrors}
	config.Info.Description = "Customer journeys: take in what contacts do, write and publish journeys, see why each " +
		"contact got what they got, and decide handoffs.\n\nErrors are RFC 9457 problems. Lists are paged with `limit` and `cursor`."
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":       {Type: "http", Scheme: "bearer", Description: "An API key."},
		"write_key": {Type: "http", Scheme: "basic", Description: "An API key as user name, no password; tracking calls only."},
	}
	if s.PublicURL != "" {
		config.Servers = []*huma.Server{{URL: strings.TrimSuffix(s.PublicURL, "/")}}
	}
	return humagin.New(s.engine, config)
}

// schemaName tells one thing that is wrong (fault.Problem) from the error response that lists them (Problem).
func schemaName(t reflect.Type, hint string) string {
	if t == reflect.TypeFor[fault.Problem]() {
		return "ProblemItem"
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// plain registers a gin route outside huma, with its access and its description.
func (s *server) plain(op *huma.Operation, a access, handler gin.HandlerFunc) {
	route := ginPath(op.Path)
	s.access.add(op.Method, route, a)
	s.engine.Handle(op.Method, route, handler)
	s.huma.OpenAPI().AddOperation(op)
}

// document freezes the description. huma names its own error type while it registers operations, though no response
// of ours has it.
func (s *server) document() ([]byte, error) {
	schemas := s.huma.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel")
	delete(schemas, "ErrorDetail")
	body, err := json.Marshal(s.huma.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("marshal openapi document: %w", err)
	}
	return body, nil
}

func (s *server) serveDocument(c *gin.Context) {
	c.Header("Cache-Control", "no-cache")
	c.Data(http.StatusOK, "application/json", s.openapi)
}

// textResponse describes a response whose body is not JSON.
func textResponse(description, mediaType string) *huma.Response {
	return &huma.Response{Description: description,
		Content: map[string]*huma.MediaType{mediaType: {Schema: &huma.Schema{Type: huma.TypeString}}}}
}

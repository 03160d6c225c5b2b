package api

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/api/tracking"
	"throughline.dev/throughline/internal/fault"
)

// What browsers and proxies may keep, and for how long. The script has one name in all its versions, so a new one is
// seen within a day; a bundle has its hash in its name.
const (
	cacheSettings = "public, max-age=300"
	cacheScript   = "public, max-age=86400, stale-while-revalidate=604800"
	cacheBundle   = "public, max-age=31536000, immutable"
)

// siteRoutes are what a page loads before it sends anything: the script, its settings, and the sinks of what the
// libraries say about themselves. They are open: a page can only know the key, and the key is all that they tell.
func (s *server) siteRoutes() {
	get := func(id, path, summary, doc, mediaType string, handler gin.HandlerFunc) {
		responses := s.problemResponses([]int{http.StatusBadRequest, http.StatusNotFound, http.StatusInternalServerError})
		schema := &huma.Schema{Type: huma.TypeString}
		if mediaType == "application/json" {
			schema = &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
		}
		responses["200"] = &huma.Response{Description: "Here it is.", Content: map[string]*huma.MediaType{mediaType: {Schema: schema}}}
		responses["304"] = &huma.Response{Description: "It is still the one that you have."}
		op := &huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"tracking"},
			Summary: summary, Description: doc, Responses: responses}
		for _, name := range []string{"key", "file"} {
			if strings.Contains(path, "{"+name+"}") {
				op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
			}
		}
		s.browserRoute(op, access{open: true}, handler)
	}
	get("segment-settings", "/v1/projects/{key}/settings", "Settings for the browser library",
		"Where the library sends to. 404 for an unknown key.", "application/json", s.settings)
	get("segment-script", "/analytics.js/v1/{key}/analytics.min.js", "The tracking script",
		"The public browser library, and a part that follows forms.", "text/javascript", s.script)
	get("segment-bundle", "/analytics-next/bundles/{file}", "A part that the tracking script loads when it is needed",
		"", "text/javascript", s.bundle)
	get("rudderstack-settings", "/sourceConfig", "Settings for RudderStack's browser library",
		"The key comes as Basic user name or as `writeKey` in the query. 404 for an unknown key.", "application/json", s.sourceConfig)
	for _, path := range []string{"/v1/m", "/rsaMetrics"} {
		s.browserRoute(&huma.Operation{OperationID: "discard" + strings.ReplaceAll(path, "/", "-"), Method: http.MethodPost, Path: path,
			Tags: []string{"tracking"}, Summary: "What a library says about itself; not read", Description: "Answered, so that it isn't sent again.",
			Responses: s.acknowledged()},
			access{open: true}, func(c *gin.Context) { c.JSON(http.StatusOK, TrackingAnswer{Success: true}) })
	}
}

func (s *server) acknowledged() map[string]*huma.Response {
	out := s.problemResponses([]int{http.StatusBadRequest, http.StatusInternalServerError})
	out["200"] = &huma.Response{Description: "Taken, and thrown away.", Content: map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{Ref: "#/components/schemas/TrackingAnswer"}}}}
	return out
}

// settings tells the browser library where to send to: to us.
func (s *server) settings(c *gin.Context) {
	key := c.Param("key")
	if s.unknownKey(c, key) {
		writeProblem(c, notFound())
		return
	}
	protocol, host := s.publicHost(c.Request)
	c.Header("Cache-Control", cacheSettings)
	// keepalive: what is sent while the page is being left, such as a form, goes out all the same.
	delivery := map[string]any{"config": map[string]any{"keepalive": true}}
	c.JSON(http.StatusOK, map[string]any{
		"integrations": map[string]any{"Segment.io": map[string]any{
			"apiKey": key, "apiHost": host + "/v1", "protocol": protocol, "deliveryStrategy": delivery}},
		"plan":    map[string]any{},
		"metrics": map[string]any{"sampleRate": 0, "host": host + "/v1", "protocol": protocol},
	})
}

// sourceConfig is what RudderStack's browser library asks for: a source that is on, with no destinations but us.
func (s *server) sourceConfig(c *gin.Context) {
	key, found := writeKey(c.Request)
	if !found {
		key = c.Query("writeKey")
	}
	if s.unknownKey(c, key) {
		writeProblem(c, notFound())
		return
	}
	off := map[string]any{"enabled": false}
	c.Header("Cache-Control", "private, max-age=300") // the key is in a header
	c.JSON(http.StatusOK, map[string]any{"source": map[string]any{
		"id": "throughline", "name": "Throughline", "workspaceId": "throughline", "writeKey": key, "enabled": true,
		"config":       map[string]any{"statsCollection": map[string]any{"errors": off, "metrics": off}},
		"destinations": []any{},
	}})
}

// unknownKey tells whether a key is surely none. While that can't be found out, the page gets its settings: it keeps
// what it can't send, and without settings it would keep nothing.
func (s *server) unknownKey(c *gin.Context, key string) bool {
	found, err := s.keys.find(c.Request.Context(), key)
	if err != nil {
		kind := fault.KindOf(err)
		if kind != fault.Unauthorized {
			s.logFailure(c.Request.Context(), routeOf(c), err)
		}
		return kind == fault.Unauthorized
	}
	return !anyOf(ScopeIngest).allows(found)
}

// publicHost is how pages reach us: as configured, else as they just did.
func (s *server) publicHost(r *http.Request) (protocol, host string) {
	if u, err := url.Parse(s.PublicURL); err == nil && u.Host != "" {
		return u.Scheme, u.Host + strings.TrimSuffix(u.Path, "/")
	}
	if r.TLS != nil {
		return "https", r.Host
	}
	return "http", r.Host
}

func (s *server) script(c *gin.Context) { serveAsset(c, tracking.Script(), cacheScript) }

func (s *server) bundle(c *gin.Context) {
	asset, ok := tracking.Bundle(c.Param("file"))
	if !ok {
		writeProblem(c, notFound())
		return
	}
	serveAsset(c, asset, cacheBundle)
}

func serveAsset(c *gin.Context, asset tracking.Asset, cache string) {
	h, body, etag := c.Writer.Header(), asset.Plain, asset.Hash
	h.Set("Vary", "Accept-Encoding")
	if acceptsGzip(c.GetHeader("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body, etag = asset.Gzip, asset.Hash+"-gzip"
	}
	h.Set("Etag", `"`+etag+`"`)
	h.Set("Cache-Control", cache)
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(body)) // answers If-None-Match
}

func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			_, q, weighed := strings.Cut(params, "=")
			weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return !weighed || err != nil || weight > 0
		}
	}
	return false
}

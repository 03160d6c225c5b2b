package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/designer"
)

var param = regexp.MustCompile(`:(\w+)`)

// routeSet is every route of gin's, written as OpenAPI writes it. Tracking routes have a twin with a trailing slash.
func routeSet(w *world) map[string]string {
	out := map[string]string{}
	for _, r := range w.handler.engine.Routes() {
		out[strings.ToLower(r.Method)+" "+strings.TrimSuffix(param.ReplaceAllString(r.Path, "{$1}"), "/")] = r.Method + " " + r.Path
	}
	return out
}

func TestEveryRouteIsDescribedAndEveryDescriptionIsRouted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var doc struct {
		OpenAPI string                               `json:"openapi"`
		Paths   map[string]map[string]map[string]any `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(w.do(t, call{method: http.MethodGet, url: "/openapi.json"}).Body.Bytes(), &doc))
	require.True(t, strings.HasPrefix(doc.OpenAPI, "3.1"))
	routes := routeSet(w)
	described, ids := map[string]bool{}, map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			described[method+" "+path] = true
			require.Contains(t, routes, method+" "+path, "described, but not routed")
			id, _ := op["operationId"].(string)
			require.NotEmpty(t, id)
			require.False(t, ids[id], "operation id twice: %s", id)
			ids[id] = true
		}
	}
	for route := range routes {
		require.True(t, described[route], "routed, but not described: %s", route)
	}
	require.Greater(t, len(described), 25)
}

// open are the routes that need no key, named here so that opening another is a decision.
var open = map[string]bool{
	"GET /healthz": true, "GET /readyz": true, "GET /metrics": true, "GET /openapi.json": true, "POST /v1/session": true, "GET /u/:token": true, "POST /u/:token": true,
	"GET /v1/session/methods": true, "GET /v1/session/oidc": true, "GET /v1/session/oidc/callback": true, // one logs in there
	"POST /v1/webhooks/:provider": true,                                                                                                                       // each provider shows that it is the one
	"GET /s/:token":               true, "POST /s/:token": true, "GET /c/:token": true, "HEAD /c/:token": true, "GET /o/:token": true, "HEAD /o/:token": true, // what a mail leads to and loads
	// What a page loads, and what is thrown away; each with its twin.
	"GET /v1/projects/:key/settings": true, "GET /v1/projects/:key/settings/": true, "GET /analytics.js/v1/:key/analytics.min.js": true,
	"GET /analytics.js/v1/:key/analytics.min.js/": true, "GET /analytics-next/bundles/:file": true, "GET /analytics-next/bundles/:file/": true,
	"GET /sourceConfig": true, "GET /sourceConfig/": true, "POST /v1/m": true, "POST /v1/m/": true, "POST /rsaMetrics": true, "POST /rsaMetrics/": true,
}

func TestEveryOperationDeniesByDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := map[Scope]string{ScopeIngest: "key-ingest", ScopeRead: "key-read", ScopeJourneys: "key-journeys", ScopeSales: "key-sales"}
	guarded := 0
	for _, r := range w.handler.engine.Routes() {
		id := r.Method + " " + r.Path
		a, declared := w.handler.server.access[id]
		require.True(t, declared, "no access declared: %s", id)
		require.Equal(t, open[id], a.open, id)
		if a.open {
			continue
		}
		guarded++
		url := strings.NewReplacer(":key", "trial", ":version", "1", ":id", absentID).Replace(r.Path)
		content := body(r.Method, a)
		try := func(key string) int {
			return w.do(t, call{method: r.Method, url: url, key: key, body: content}).Code
		}
		require.Equal(t, http.StatusUnauthorized, try(""), id)
		require.Equal(t, http.StatusUnauthorized, try("no-such-key"), id)
		if a.segment {
			a = anyOf(ScopeIngest)
		}
		require.NotEmpty(t, a.scopes, id)
		for scope, key := range keys {
			status := try(key)
			if a.allows(APIKey{Scopes: []string{string(scope)}}) {
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, status, "%s with %s", id, scope)
				continue
			}
			require.Equal(t, http.StatusForbidden, status, "%s with %s", id, scope)
		}
		require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, try("key-admin"), id)
	}
	require.Greater(t, guarded, 20)
}

func body(method string, a access) string {
	switch {
	case method == http.MethodGet:
		return ""
	case a.segment:
		return `{"userId":"u1","event":"Seen","batch":[]}`
	}
	return `{}`
}

func TestAnUndeclaredRouteIsDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.handler.engine.GET("/v1/forgotten", w.handler.server.serveDocument)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, call{method: http.MethodGet, url: "/v1/forgotten", key: "key-admin"}.request())
	// Even the admin's key: nobody has said who may call it.
	require.Equal(t, http.StatusForbidden, rec.Code)
}

func TestHumaSetsNoDeadlineBehindOurBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	checked := 0
	for path, item := range w.handler.server.huma.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Post, item.Put} {
			if op == nil || w.handler.server.access[op.Method+" "+ginPath(path)].segment ||
				strings.HasPrefix(path, "/u/") || strings.HasPrefix(path, "/s/") || strings.HasPrefix(path, "/v1/webhooks/") || path == "/v1/m" || path == "/rsaMetrics" { // plain gin
				continue
			}
			checked++
			require.Negative(t, op.BodyReadTimeout, path)
			require.Negative(t, op.MaxBodyBytes, "readBody limits it, with the right answer at the limit itself: %s", path)
		}
	}
	require.Greater(t, checked, 8)
}

func TestTheDesignerServesWhatIsNoAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Designer = designer.Handler(designer.Options{}) })
	for _, tc := range []struct {
		method, path, accept string
		status               int
		holds                string
	}{
		{"GET", "/", "text/html", 200, "<title>Throughline</title>"},
		{"GET", "/contacts/" + contactID, "text/html", 200, "<title>Throughline"},
		{"GET", "/nothing.js", "*/*", 404, `"code":"not_found"`},
		{"GET", "/v1/nothing", "text/html", 404, `"code":"not_found"`},
		{"GET", "/u/", "text/html", 404, `"code":"not_found"`},
		{"POST", "/", "text/html", 404, `"code":"not_found"`},
	} {
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, call{method: tc.method, url: tc.path, header: map[string]string{"Accept": tc.accept}}.request())
		require.Equal(t, tc.status, rec.Code, tc.path)
		require.Contains(t, rec.Body.String(), tc.holds, tc.path)
		if tc.status == http.StatusNotFound {
			requireProblem(t, rec)
			continue
		}
		require.Contains(t, rec.Header().Get("Content-Security-Policy"), "default-src 'self'", "the pages bring their own policy")
	}
}

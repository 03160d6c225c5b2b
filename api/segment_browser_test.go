package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
)

// browserURLs are a request's path for every route that a page may call.
func browserURLs() map[string]string {
	urls := map[string]string{
		"/v1/projects/key-ingest/settings": http.MethodGet, "/analytics.js/v1/key-ingest/analytics.min.js": http.MethodGet,
		"/analytics-next/bundles/none.js": http.MethodGet, "/sourceConfig": http.MethodGet, "/v1/m": http.MethodPost, "/rsaMetrics": http.MethodPost,
	}
	for _, call := range trackingCalls() {
		urls[call.path] = http.MethodPost
	}
	return urls
}

func TestPagesOfAnyOriginMayCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for url, method := range browserURLs() {
		for _, path := range []string{url, url + "/"} {
			rec := serve(w, call{method: http.MethodOptions, url: path, header: map[string]string{"Origin": "https://shop.test",
				"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}})
			require.Equal(t, http.StatusNoContent, rec.Code, path)
			require.Empty(t, rec.Body.String(), path)
			allowed := strings.Split(rec.Header().Get("Access-Control-Allow-Headers"), ", ")
			require.Contains(t, allowed, "Authorization", "the star does not cover it")
			require.Contains(t, rec.Header().Get("Access-Control-Allow-Methods"), method)
			for _, answer := range []http.Header{rec.Header(), serve(w, call{method: method, url: path, body: `x`}).Header()} {
				require.Equal(t, "*", answer.Get("Access-Control-Allow-Origin"), path)
				require.Equal(t, "Retry-After", answer.Get("Access-Control-Expose-Headers"), path)
				require.Empty(t, answer.Get("Access-Control-Allow-Credentials"), path)
			}
		}
	}
}

func TestPagesMayNotCallTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, url := range []string{"/v1/contacts", "/v1/contacts/" + contactID, "/v1/journeys/trial", "/v1/projects/a/b", "/v1/projects//settings/x", "/", "/healthz"} {
		for _, method := range []string{http.MethodOptions, http.MethodGet} {
			rec := serve(w, call{method: method, url: url, key: "key-admin", header: map[string]string{"Origin": "https://shop.test"}})
			require.Empty(t, rec.Header().Get("Access-Control-Allow-Origin"), "%s %s", method, url)
		}
	}
}

func TestABrowserNeverAsksItsVisitorForAPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec := w.do(t, call{method: "POST", url: "/v1/p", header: basic("unknown:"), body: `{"anonymousId":"a"}`})
	require.Equal(t, http.StatusUnauthorized, rec.Code)
	require.NotContains(t, rec.Header().Get("WWW-Authenticate"), "Basic")
}

func TestABeaconHasItsKeyInTheQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const batch = `{"batch":[{"type":"page","anonymousId":"a"}]}`
	w.run(t, []row{
		{name: "beacon", call: call{method: "POST", url: "/beacon/v1/batch?writeKey=key-ingest", body: batch}, status: 200},
		{name: "with a slash", call: call{method: "POST", url: "/beacon/v1/batch/?writeKey=key-ingest", body: batch}, status: 200},
		{name: "unknown", call: call{method: "POST", url: "/beacon/v1/batch?writeKey=x", body: batch}, status: 401},
		{name: "nowhere else", call: call{method: "POST", url: "/v1/batch?writeKey=key-ingest", body: batch}, status: 401},
	})
	require.Len(t, w.events, 2)
}

func TestEveryPathTakesItsType(t *testing.T) {
	t.Parallel()
	for _, tc := range trackingCalls() {
		w := newWorld(t)
		const item = `"type":"track","userId":"u","anonymousId":"a","event":"e","groupId":"g","previousId":"p","timestamp":"2026-11-23T10:00:00Z","sentAt":"2026-11-23T11:00:00Z"`
		body, want := `{`+item+`}`, string(tc.implied)
		if tc.implied == "" {
			body, want = `{"batch":[{`+item+`}]}`, "track"
		}
		w.run(t, []row{{name: tc.path, call: call{method: "POST", url: tc.path, header: basic("key-ingest:"), body: body}, status: 200}})
		require.Len(t, w.events, 1, tc.path)
		require.Equal(t, want, string(w.events[0].Type), tc.path)
		hours := 1.0 // the sender's clock is an hour late
		if tc.history {
			hours = 2
		}
		require.InDelta(t, hours, testNow.Sub(w.events[0].OccurredAt).Hours(), 0, tc.path)
	}
}

func TestSettingsPointTheLibraryHere(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ public, protocol, host string }{
		{"https://t.example.test", "https", "t.example.test/v1"},
		{"http://127.0.0.1:8080", "http", "127.0.0.1:8080/v1"},
		{"https://example.test/track", "https", "example.test/track/v1"},
		{"", "http", "example.com/v1"}, // as the request came
	} {
		w := newWorld(t, func(o *Options) { o.PublicURL = tc.public })
		rec := serve(w, call{method: "GET", url: "/v1/projects/key-ingest/settings"})
		require.Equal(t, 200, rec.Code)
		require.JSONEq(t, `{"integrations":{"Segment.io":{"apiKey":"key-ingest","apiHost":"`+tc.host+`","protocol":"`+tc.protocol+`",
			"deliveryStrategy":{"config":{"keepalive":true}}}},"plan":{},"metrics":{"sampleRate":0,"host":"`+tc.host+`","protocol":"`+tc.protocol+`"}}`, rec.Body.String())
	}
}

func TestSettingsOfAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, []row{
		{name: "known", call: call{method: "GET", url: "/v1/projects/key-ingest/settings"}, status: 200, contains: []string{`"apiKey":"key-ingest"`}},
		{name: "unknown", call: call{method: "GET", url: "/v1/projects/nobody/settings"}, status: 404, notContains: []string{"nobody"}},
		{name: "a key that may not send", call: call{method: "GET", url: "/v1/projects/key-read/settings"}, status: 404},
		{name: "rudderstack", call: call{method: "GET", url: "/sourceConfig/?p=cdn&v=3.34.0&writeKey=key-ingest"}, status: 200,
			contains: []string{`"enabled":true`, `"destinations":[]`, `"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}`}},
		{name: "rudderstack with a header", call: call{method: "GET", url: "/sourceConfig/", header: basic("key-ingest:")}, status: 200},
		{name: "rudderstack, unknown", call: call{method: "GET", url: "/sourceConfig/?writeKey=nobody"}, status: 404},
		{name: "metrics", call: call{method: "POST", url: "/v1/m", body: `{"series":[]}`}, status: 200, contains: []string{`"success":true`}},
		{name: "metrics", call: call{method: "POST", url: "/rsaMetrics", body: `x`}, status: 200},
	})
	w.keysDown = fault.New(fault.Unavailable, "down", "down")
	w.run(t, []row{{name: "while nobody can tell", call: call{method: "GET", url: "/v1/projects/nobody/settings"}, status: 200}})
}

func TestTheScriptIsServedAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const url = "/analytics.js/v1/any-key/analytics.min.js"
	plain := w.do(t, call{method: "GET", url: url})
	require.Equal(t, 200, plain.Code)
	require.Equal(t, "text/javascript; charset=utf-8", plain.Header().Get("Content-Type"))
	require.Contains(t, plain.Header().Get("Cache-Control"), "public, max-age=86400")
	require.Equal(t, "cross-origin", plain.Header().Get("Cross-Origin-Resource-Policy"))
	require.Contains(t, plain.Body.String(), "Form Submitted")
	packed := serve(w, call{method: "GET", url: url, header: map[string]string{"Accept-Encoding": "br, gzip;q=0.8"}})
	require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
	require.Equal(t, "Accept-Encoding", packed.Header().Get("Vary"))
	require.Less(t, packed.Body.Len(), 40_000)
	require.Equal(t, plain.Body.String(), unzipped(t, packed.Body.Bytes()))
	require.NotEqual(t, plain.Header().Get("Etag"), packed.Header().Get("Etag"), "two bodies, two tags")
	same := serve(w, call{method: "GET", url: url, header: map[string]string{"If-None-Match": plain.Header().Get("Etag")}})
	require.Equal(t, http.StatusNotModified, same.Code)
	require.Zero(t, same.Body.Len())
	w.run(t, []row{
		{name: "a bundle", call: call{method: "GET", url: "/analytics-next/bundles/auto-track.bundle.f131ce01a05e3a33a8c1.js"}, status: 200},
		{name: "no bundle", call: call{method: "GET", url: "/analytics-next/bundles/analytics.js"}, status: 404},
		{name: "no file of ours", call: call{method: "GET", url: "/analytics-next/bundles/..%2Fforms.js"}, status: 404},
	})
}

func TestGzipIsForThoseWhoAsk(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{"": false, "gzip": true, "br, GZIP": true, "gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=0.001": true,
		"gzip;q=x": true, "identity": false, "xgzip": false} {
		require.Equal(t, want, acceptsGzip(header), strconv.Quote(header))
	}
}

func TestTheVisitorsAddressIsKeptOnlyWhereAskedFor(t *testing.T) {
	t.Parallel()
	body := map[string]any{"anonymousId": "a", "context": map[string]any{"library": map[string]any{"name": "analytics.js"}}}
	data, err := json.Marshal(body)
	require.NoError(t, err)
	page := call{method: "POST", url: "/v1/p", header: map[string]string{"Authorization": basic("key-ingest:")["Authorization"], "X-Forwarded-For": "198.51.100.9"}, body: string(data)}
	for _, tc := range []struct {
		keep    bool
		proxies []string
		want    any
	}{
		{false, nil, nil},
		{true, nil, "192.0.2.1"}, // the connection's: nobody said that a proxy is to be believed
		{true, []string{"192.0.2.0/24"}, "198.51.100.9"},
	} {
		w := newWorld(t, func(o *Options) { o.KeepIP, o.TrustedProxies = tc.keep, tc.proxies })
		w.run(t, []row{{name: "page", call: page, status: 200}})
		require.Equal(t, tc.want, w.events[0].Context["ip"])
	}
}

// serve is do without the contract: preflights and packed bodies are not in it.
func serve(w *world, c call) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, c.request())
	return rec
}

func unzipped(t *testing.T, data []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(plain)
}

package designer

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		"index.html":        {Data: []byte(`<meta property="csp-nonce" nonce="__NONCE__"><script src="/assets/app-1.js"></script>`)},
		"assets/app-1.js":   {Data: []byte(`"use strict"`)},
		"assets/app-1.css":  {Data: []byte("a{}")},
		"icon.svg":          {Data: []byte("<svg/>")},
		"assets/secret.txt": {Data: []byte("secret")},
	}
}

func get(h http.Handler, method, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://x"+path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages(t *testing.T) {
	t.Parallel()
	h := handlerOf(Options{TemporalUIURL: "http://127.0.0.1:8233", InboxURL: `http://127.0.0.1:8025/"`}, built())
	for _, tc := range []struct {
		method, path, accept string
		status               int
		contentType, holds   string
	}{
		{"GET", "/", "", 200, "text/html; charset=utf-8", "csp-nonce"},
		{"HEAD", "/", "", 200, "text/html; charset=utf-8", ""},
		{"GET", "/assets/app-1.js", "", 200, "text/javascript; charset=utf-8", `"use strict"`},
		{"GET", "/assets/app-1.css", "", 200, "text/css; charset=utf-8", "a{}"},
		{"GET", "/icon.svg", "", 200, "image/svg+xml", "<svg/>"},
		{"GET", "/config.json", "", 200, "application/json", `{"inbox":"http://127.0.0.1:8025/\"","temporal_ui":"http://127.0.0.1:8233"}`},
		{"GET", "/contacts/0b9c5a0e-6f0b-4d5e-9a39-2f5c4f1f6a11", "text/html,*/*", 200, "text/html; charset=utf-8", "csp-nonce"},
		{"GET", "/handoffs", "*/*", 404, "application/problem+json", `"code":"not_found"`},
		{"GET", "/missing.js", "*/*", 404, "application/problem+json", ""},
		{"GET", "/assets/secret.txt", "*/*", 404, "application/problem+json", ""},
		{"GET", "/../designer.go", "", 404, "application/problem+json", ""},
		{"POST", "/", "text/html", 404, "application/problem+json", ""},
	} {
		w := get(h, tc.method, tc.path, tc.accept)
		require.Equal(t, tc.status, w.Code, tc.path)
		require.Equal(t, tc.contentType, w.Header().Get("Content-Type"), tc.path)
		require.Contains(t, w.Body.String(), tc.holds, tc.path)
		require.Equal(t, strings.HasPrefix(tc.path, "/assets/app"), strings.Contains(w.Header().Get("Cache-Control"), "immutable"), tc.path)
	}
}

// Every answer has a nonce of its own, and the page the same as the policy: only then do the libraries' style sheets count, and nobody else's.
func TestPolicy(t *testing.T) {
	t.Parallel()
	h := handlerOf(Options{}, built())
	nonce := regexp.MustCompile(`'nonce-([A-Z0-9]{20,})'`)
	seen := map[string]bool{}
	for range 3 {
		w := get(h, "GET", "/", "text/html")
		policy := w.Header().Get("Content-Security-Policy")
		require.True(t, strings.HasPrefix(policy, "default-src 'self'; "), policy)
		require.NotContains(t, policy, "unsafe")
		require.NotContains(t, policy, "http")
		found := nonce.FindStringSubmatch(policy)
		require.Len(t, found, 2, policy)
		require.Contains(t, w.Body.String(), `nonce="`+found[1]+`"`)
		require.NotContains(t, w.Body.String(), noncePlace)
		seen[found[1]] = true
	}
	require.Len(t, seen, 3)
}

// Without Node the product builds, and says what is missing.
func TestPagesThatWereNotBuilt(t *testing.T) {
	t.Parallel()
	w := get(handlerOf(Options{}, fstest.MapFS{".gitkeep": {}}), "GET", "/journeys", "text/html")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "make designer")
}

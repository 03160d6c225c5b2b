package designer

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPages(t *testing.T) {
	t.Parallel()
	h := Handler(Options{TemporalUIURL: "http://127.0.0.1:8233", InboxURL: `http://127.0.0.1:8025/"`})
	for _, tc := range []struct {
		method, path, accept string
		status               int
		contentType, holds   string
	}{
		{"GET", "/", "", 200, "text/html; charset=utf-8", "<title>Throughline</title>"},
		{"HEAD", "/", "", 200, "text/html; charset=utf-8", ""},
		{"GET", "/app.js", "", 200, "text/javascript; charset=utf-8", `"use strict"`},
		{"GET", "/app.css", "", 200, "text/css; charset=utf-8", "prefers-color-scheme"},
		{"GET", "/config.json", "", 200, "application/json", `{"inbox":"http://127.0.0.1:8025/\"","temporal_ui":"http://127.0.0.1:8233"}`},
		{"GET", "/contacts/0b9c5a0e-6f0b-4d5e-9a39-2f5c4f1f6a11", "text/html,*/*", 200, "text/html; charset=utf-8", "<main"},
		{"GET", "/handoffs", "text/html", 200, "text/html; charset=utf-8", "<main"},
		{"GET", "/handoffs", "*/*", 404, "application/problem+json", `"code":"not_found"`},
		{"GET", "/missing.js", "*/*", 404, "application/problem+json", ""},
		{"GET", "/../designer.go", "", 404, "application/problem+json", ""},
		{"POST", "/", "text/html", 404, "application/problem+json", ""},
	} {
		r := httptest.NewRequest(tc.method, "http://x"+tc.path, nil)
		r.URL.Path = tc.path
		r.Header.Set("Accept", tc.accept)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		require.Equal(t, tc.status, rec.Code, tc.path)
		require.Equal(t, tc.contentType, rec.Header().Get("Content-Type"), tc.path)
		require.Contains(t, rec.Body.String(), tc.holds, tc.path)
		require.Contains(t, rec.Header().Get("Content-Security-Policy"), "default-src 'self'")
		require.Equal(t, "no-cache", rec.Header().Get("Cache-Control"))
	}
}

// The policy forbids what these forbid too; but then the page would be broken instead of wrong here.
func TestThePagesLoadNothingFromElsewhereAndRunNothingInline(t *testing.T) {
	t.Parallel()
	h := Handler(Options{})
	for _, path := range []string{"/", "/app.js", "/app.css"} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		body := rec.Body.String()
		require.NotRegexp(t, regexp.MustCompile(`(src|href)="(https?:)?//`), body, path)
		require.NotRegexp(t, regexp.MustCompile(`<script>|\son\w+="|javascript:|innerHTML|insertAdjacentHTML|\beval\(|localStorage|document\.cookie|url\(`), body, path)
	}
}

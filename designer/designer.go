// Package designer serves the web pages of Throughline: the app in src/, as `make designer` builds it into dist/.
//
// The pages are clients of the HTTP API like any other and hold no data. The package imports the standard library only.
package designer

import (
	"bytes"
	"crypto/rand"
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// dist is empty but for a .gitkeep where the pages were not built: Go builds without Node.
//
//go:embed all:dist unbuilt.html
var files embed.FS

// Options are what the pages link to.
type Options struct {
	TemporalUIURL string // empty: no link
	InboxURL      string
}

// noncePlace is where the built page wants its nonce.
const noncePlace = "__NONCE__"

// policyFor lets the pages load from their own host only, and nothing that is written into a page counts, but for style sheets that carry the
// nonce of this one answer: those that the pages' libraries make.
func policyFor(nonce string) string {
	return "default-src 'self'; style-src 'self' 'nonce-" + nonce + "'; img-src 'self' data:; frame-ancestors 'none'; object-src 'none'; base-uri 'none'; form-action 'self'"
}

type pages struct {
	files  fs.FS
	index  []byte
	config []byte
}

// Handler serves the pages: the files, /config.json, and for browsers the same page at every other address, which the
// script reads. Anything else is not found.
func Handler(o Options) http.Handler {
	dist, err := fs.Sub(files, "dist")
	if err != nil {
		panic(err) // it is embedded
	}
	return handlerOf(o, dist)
}

func handlerOf(o Options, dist fs.FS) http.Handler {
	config, err := json.Marshal(map[string]string{"temporal_ui": o.TemporalUIURL, "inbox": o.InboxURL})
	if err != nil {
		panic(err) // two strings always marshal
	}
	p := pages{files: dist, config: config}
	if p.index, err = fs.ReadFile(dist, "index.html"); err != nil {
		if p.index, err = files.ReadFile("unbuilt.html"); err != nil {
			panic(err) // it is embedded
		}
	}
	return p
}

// ServeHTTP answers with a page, a file or a problem.
func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	nonce := rand.Text()
	h := w.Header()
	h.Set("Content-Security-Policy", policyFor(nonce))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		notFound(w)
	case r.URL.Path == "/config.json":
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(p.config)
	case p.file(w, strings.TrimPrefix(r.URL.Path, "/")):
	case r.URL.Path == "/" || strings.Contains(r.Header.Get("Accept"), "text/html"):
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(bytes.ReplaceAll(p.index, []byte(noncePlace), []byte(nonce)))
	default:
		notFound(w)
	}
}

// file writes a built file, if there is one of this name. What lies in assets has its content in its name.
func (p pages) file(w http.ResponseWriter, name string) bool {
	contentType, known := map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
	}[path.Ext(name)]
	if !known || !fs.ValidPath(name) {
		return false
	}
	body, err := fs.ReadFile(p.files, name)
	if err != nil {
		return false
	}
	w.Header().Set("Content-Type", contentType)
	if strings.HasPrefix(name, "assets/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(body)
	return true
}

// notFound answers programs in the shape that the API has for errors.
func notFound(w http.ResponseWriter) {
	body, err := json.Marshal(map[string]any{"type": "about:blank", "title": "Not Found", "status": http.StatusNotFound, "detail": "There is nothing here.",
		"code": "not_found", "request_id": w.Header().Get("X-Request-Id")})
	if err != nil {
		panic(err) // strings and a number always marshal
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(append(body, '\n'))
}

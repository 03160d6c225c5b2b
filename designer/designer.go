// Package designer serves the web pages of Throughline. For now they are a placeholder, a few hand-written files: what
// runs, the journeys, a contact with its timeline and messages, and the handoffs that a rep decides. The drag-and-drop
// designer takes their place.
//
// The pages are clients of the HTTP API like any other and hold no data. The package imports the standard library only.
package designer

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed placeholder
var files embed.FS

// Options are what the pages link to.
type Options struct {
	TemporalUIURL string // empty: no link
	InboxURL      string
}

// policy lets the pages load from their own host only. Inline styles are for the preview of mails, which inherits it: HTML
// mail has no other styles. Scripts are never inline, and the preview's frame runs none at all.
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; " +
	"object-src 'none'; base-uri 'none'; form-action 'none'"

// Handler serves the pages: the files, /config.json, and for browsers the same page at every other address, which the
// script reads. Anything else is not found.
func Handler(o Options) http.Handler {
	config, err := json.Marshal(map[string]string{"temporal_ui": o.TemporalUIURL, "inbox": o.InboxURL})
	if err != nil {
		panic(err) // two strings always marshal
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			notFound(w)
			return
		}
		if r.URL.Path == "/config.json" {
			h.Set("Content-Type", "application/json")
			_, _ = w.Write(config)
			return
		}
		if name := strings.TrimPrefix(r.URL.Path, "/"); name != "index.html" && serve(w, name) {
			return
		}
		if r.URL.Path == "/" || strings.Contains(r.Header.Get("Accept"), "text/html") {
			serve(w, "index.html")
			return
		}
		notFound(w)
	})
}

// serve writes an embedded file, if there is one of this name.
func serve(w http.ResponseWriter, name string) bool {
	types := map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
		".svg": "image/svg+xml"}
	contentType, known := types[path.Ext(name)]
	body, err := fs.ReadFile(files, "placeholder/"+name)
	if err != nil || !known {
		return false
	}
	w.Header().Set("Content-Type", contentType)
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

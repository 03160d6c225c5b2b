package inbox

import (
	_ "embed"
	"encoding/json"
	"errors"
	"mime"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed page.html
var page []byte

// maxWait bounds a request that waits for mail.
const maxWait = 2 * time.Minute

// handler is the page and the API behind it.
func handler(log *mailLog, faults *script) http.Handler {
	a := &api{log: log, faults: faults}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.page)
	mux.HandleFunc("GET /api/messages", a.list)
	mux.HandleFunc("DELETE /api/messages", a.clear)
	mux.HandleFunc("GET /api/messages/{id}", a.one)
	mux.HandleFunc("GET /api/messages/{id}/raw", a.raw)
	mux.HandleFunc("GET /api/messages/{id}/html", a.html)
	mux.HandleFunc("GET /api/truncated", a.truncated)
	mux.HandleFunc("GET /api/faults", a.listFaults)
	mux.HandleFunc("POST /api/faults", a.addFault)
	mux.HandleFunc("DELETE /api/faults", a.clearFaults)
	return ownHostOnly(mux)
}

// ownHostOnly refuses names that only point here (DNS rebinding): mails hold personal data even in tests.
func ownHostOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if host != "localhost" && host != "127.0.0.1" {
			refuse(w, http.StatusMisdirectedRequest, "open this page as localhost")
			return
		}
		next.ServeHTTP(w, r)
	})
}

type api struct {
	log    *mailLog
	faults *script
}

func (a *api) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'; base-uri 'none'")
	_, _ = w.Write(page) // the reader may be gone
}

// list answers with the mails that match, newest first. With min and wait it waits until there are so many.
func (a *api) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	least, err1 := number(q.Get("min"))
	limit, err2 := number(q.Get("limit"))
	wait, err3 := duration(q.Get("wait"))
	if err := errors.Join(err1, err2, err3); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	match := matcher(q.Get("to"), q.Get("q"))
	timeout := time.NewTimer(min(wait, maxWait))
	defer timeout.Stop()
	for {
		found, changed := a.log.list(match)
		waiting := len(found) < least && wait > 0
		if waiting {
			select {
			case <-changed:
				continue
			case <-r.Context().Done():
				return
			case <-timeout.C:
			}
		}
		if limit > 0 && len(found) > limit {
			found = found[:limit]
		}
		answer(w, http.StatusOK, found)
		return
	}
}

// matcher compares to as a whole address, q as a part of what the list shows; case matters to neither.
func matcher(to, q string) func(Message) bool {
	q = strings.ToLower(q)
	return func(m Message) bool {
		if to != "" && !slices.ContainsFunc(m.To, func(have string) bool { return strings.EqualFold(have, to) }) {
			return false
		}
		shown := m.Subject + "\n" + m.From + "\n" + strings.Join(m.To, "\n")
		return q == "" || strings.Contains(strings.ToLower(shown), q)
	}
}

func (a *api) clear(w http.ResponseWriter, _ *http.Request) {
	if err := a.log.clear(); err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *api) one(w http.ResponseWriter, r *http.Request) {
	m, raw, ok := a.read(w, r)
	if !ok {
		return
	}
	answer(w, http.StatusOK, struct {
		Message
		content
	}{m, takeApart(raw)})
}

func (a *api) raw(w http.ResponseWriter, r *http.Request) {
	_, raw, ok := a.read(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(raw) // the reader may be gone
}

// html is the mail's own page for the sandboxed frame: no scripts, no forms; links open elsewhere, pictures load.
func (a *api) html(w http.ResponseWriter, r *http.Request) {
	_, raw, ok := a.read(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy",
		"sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; font-src data:")
	_, _ = w.Write([]byte(`<base target="_blank">` + takeApart(raw).HTML))
}

func (a *api) read(w http.ResponseWriter, r *http.Request) (Message, []byte, bool) {
	m, raw, err := a.log.source(r.PathValue("id"))
	switch {
	case errors.Is(err, os.ErrNotExist):
		refuse(w, http.StatusNotFound, "no such mail")
	case err != nil:
		refuse(w, http.StatusInternalServerError, err.Error())
	}
	return m, raw, err == nil
}

func (a *api) truncated(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, a.log.listTruncated())
}

func (a *api) listFaults(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, a.faults.list())
}

func (a *api) addFault(w http.ResponseWriter, r *http.Request) {
	// Asking for JSON keeps other sites' plain forms out.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "send application/json")
		return
	}
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	in.DisallowUnknownFields()
	var f Fault
	if err := in.Decode(&f); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	f, err := a.faults.add(f)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	answer(w, http.StatusCreated, f)
}

func (a *api) clearFaults(w http.ResponseWriter, _ *http.Request) {
	a.faults.clear()
	w.WriteHeader(http.StatusNoContent)
}

func number(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.Atoi(text)
}

func duration(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the reader may be gone
}

func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}

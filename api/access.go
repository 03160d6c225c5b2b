package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"throughline.dev/throughline/internal/fault"
)

// Scope is what a key may do.
type Scope string

// The scopes. Admin implies all others.
const (
	ScopeIngest   Scope = "ingest"   // send events and signals
	ScopeRead     Scope = "read"     // read contacts, messages and timelines: personal data
	ScopeJourneys Scope = "journeys" // write and publish journeys and templates
	ScopeSales    Scope = "sales"    // see and decide handoffs
	ScopeSend     Scope = "send"     // send transactional mail
	ScopeAdmin    Scope = "admin"
)

// access says who may call a route. The zero value lets nobody in.
type access struct {
	scopes  []Scope // any one of them
	open    bool    // no key needed
	segment bool    // the handler authenticates: the key may be inside the body
}

func anyOf(scopes ...Scope) access { return access{scopes: scopes} }

// allows tells whether a key may do what a route does.
func (a access) allows(k APIKey) bool {
	if len(a.scopes) == 0 {
		return false // nobody has said who may call this, so not even the admin
	}
	for _, have := range k.Scopes {
		if have == string(ScopeAdmin) || slices.Contains(a.scopes, Scope(have)) {
			return true
		}
	}
	return false
}

// accessTable maps "METHOD /route/:template" to its access. What is not in it is denied.
type accessTable map[string]access

func (t accessTable) add(method, route string, a access) {
	id := method + " " + route
	if _, twice := t[id]; twice {
		panic("api: route declared twice: " + id) // a mistake of the programmer, found by every test
	}
	t[id] = a
}

// authorize guards every route that gin found. It runs before anything reads the body.
func (s *server) authorize(c *gin.Context) {
	route := c.FullPath()
	if route == "" { // no such route: the 404 handler answers
		return
	}
	a := s.access[c.Request.Method+" "+route]
	if a.open || a.segment {
		return
	}
	key, err := s.caller(c)
	if err != nil {
		s.fail(c, fmt.Errorf("find api key: %w", err))
		return
	}
	c.Request = c.Request.WithContext(withKey(c.Request.Context(), key))
	if !a.allows(key) {
		writeProblem(c, newProblem(http.StatusForbidden, "forbidden", "This key may not do this."))
	}
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// writeKey finds the key of a tracking call in its header: Basic with the key as user name (the colon may be missing,
// as some clients forget it), or Bearer. found is false when there is no Authorization header at all.
func writeKey(r *http.Request) (key string, found bool) {
	scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok {
		return "", r.Header.Get("Authorization") != ""
	}
	value = strings.TrimSpace(value)
	if strings.EqualFold(scheme, "Bearer") {
		return value, true
	}
	if !strings.EqualFold(scheme, "Basic") {
		return "", true
	}
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		if raw, err = base64.RawStdEncoding.DecodeString(value); err != nil {
			return "", true
		}
	}
	user, _, _ := strings.Cut(string(raw), ":")
	return user, true
}

func errUnknownKey() error {
	return fault.New(fault.Unauthorized, "unauthorized", "This API key is not known.")
}

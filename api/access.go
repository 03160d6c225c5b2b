package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

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

// keyCache remembers known keys for a minute, so that a burst of events doesn't ask the database for each. Unknown keys
// are never remembered: a key works as soon as it is made. A revoked key goes on for at most keyTTL.
type keyCache struct {
	source Keys
	now    func() time.Time
	mu     sync.Mutex
	known  map[[sha256.Size]byte]cachedKey // by hash: the keys themselves are not kept in memory
}

type cachedKey struct {
	key   APIKey
	until time.Time
}

const (
	keyTTL     = time.Minute
	keyMax     = 10_000 // entries; past it the cache starts again
	keyMaxSize = 512    // bytes; longer ones can't be keys
)

func newKeyCache(source Keys, now func() time.Time) *keyCache {
	return &keyCache{source: source, now: now, known: map[[sha256.Size]byte]cachedKey{}}
}

func (k *keyCache) find(ctx context.Context, key string) (APIKey, error) {
	if key == "" || len(key) > keyMaxSize || strings.ContainsRune(key, 0) {
		return APIKey{}, errUnknownKey()
	}
	id, now := sha256.Sum256([]byte(key)), k.now()
	k.mu.Lock()
	hit, ok := k.known[id]
	k.mu.Unlock()
	if ok && now.Before(hit.until) {
		return hit.key, nil
	}
	found, err := k.source.FindKey(ctx, key)
	if err != nil {
		if kind := fault.KindOf(err); kind == fault.Unauthorized || kind == fault.NotFound {
			return APIKey{}, errUnknownKey()
		}
		return APIKey{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.known) >= keyMax {
		k.known = map[[sha256.Size]byte]cachedKey{}
	}
	k.known[id] = cachedKey{key: found, until: now.Add(keyTTL)}
	return found, nil
}

// forget makes the cache ask again.
func (k *keyCache) forget(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, sha256.Sum256([]byte(key)))
}

func errUnknownKey() error {
	return fault.New(fault.Unauthorized, "unauthorized", "This API key is not known.")
}

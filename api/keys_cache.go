package api

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"throughline.dev/throughline/internal/fault"
)

// keySource is what finds the key that a text stands for: a key itself, or a session.
type keySource interface {
	FindKey(ctx context.Context, key string) (APIKey, error)
}

// keyCache remembers known keys for a minute, so that a burst of events doesn't ask the database for each. Unknown keys
// are never remembered: a key works as soon as it is made. A key that another process revokes goes on for at most keyTTL.
type keyCache struct {
	source keySource
	used   func(key APIKey) // told when a key is asked for that was not remembered; does not wait
	now    func() time.Time
	mu     sync.Mutex
	known  map[[sha256.Size]byte]cachedKey // by hash: the keys themselves are not kept in memory
	drops  uint64                          // how often something was forgotten
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

func newKeyCache(source keySource, used func(key APIKey), now func() time.Time) *keyCache {
	return &keyCache{source: source, used: used, now: now, known: map[[sha256.Size]byte]cachedKey{}}
}

func (k *keyCache) find(ctx context.Context, key string) (APIKey, error) {
	if key == "" || len(key) > keyMaxSize || strings.ContainsRune(key, 0) {
		return APIKey{}, errUnknownKey()
	}
	id, now := sha256.Sum256([]byte(key)), k.now()
	k.mu.Lock()
	hit, ok := k.known[id]
	drops := k.drops
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
	k.used(found)
	k.remember(id, cachedKey{key: found, until: now.Add(keyTTL)}, drops)
	return found, nil
}

// remember keeps what was found, unless something was forgotten since it was looked for: it may have been this.
func (k *keyCache) remember(id [sha256.Size]byte, found cachedKey, drops uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.drops != drops {
		return
	}
	if len(k.known) >= keyMax {
		k.known = map[[sha256.Size]byte]cachedKey{}
	}
	k.known[id] = found
}

// forget makes the cache ask again.
func (k *keyCache) forget(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drops++
	delete(k.known, sha256.Sum256([]byte(key)))
}

// forgetKey makes the cache ask again for all that stands for a key.
func (k *keyCache) forgetKey(keyID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drops++
	for id, known := range k.known {
		if known.key.ID == keyID {
			delete(k.known, id)
		}
	}
}

package email

import "sync"

// The sizes of a renderer's caches, in entries.
const (
	maxForms   = 256
	maxSources = 1024
)

// cache keeps what is made of a text. When it is full it is emptied: what is used is soon there again, and nothing has to be said of age.
type cache[V any] struct {
	limit int
	mu    sync.RWMutex
	kept  map[string]V
}

func newCache[V any](limit int) *cache[V] {
	return &cache[V]{limit: limit, kept: map[string]V{}}
}

// of gives what was made of a key, or makes it. Two goroutines may make the same at once; either is as good.
func (c *cache[V]) of(key string, make func() V) V {
	c.mu.RLock()
	value, ok := c.kept[key]
	c.mu.RUnlock()
	if ok {
		return value
	}
	value = make()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= c.limit {
		clear(c.kept)
	}
	c.kept[key] = value
	return value
}

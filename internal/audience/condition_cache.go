package audience

import (
	"container/list"
	"sync"
)

// ConditionCache keeps compiled conditions by their source: bounded, safe for concurrent use, each source compiled once however many ask
// at the same time. What does not compile is kept as well, so that a broken condition is not compiled for every contact.
type ConditionCache struct {
	mu      sync.Mutex
	size    int
	entries map[string]*list.Element
	recent  *list.List // of *cacheEntry, the last used first
}

type cacheEntry struct {
	source    string
	once      sync.Once
	condition *Condition
	err       error
}

// NewConditionCache makes a cache for at most size conditions; size below 1 counts as 1.
func NewConditionCache(size int) *ConditionCache {
	return &ConditionCache{size: max(size, 1), entries: map[string]*list.Element{}, recent: list.New()}
}

// Compile gives the condition of a source.
func (c *ConditionCache) Compile(source string) (*Condition, error) {
	if len(source) > MaxConditionBytes {
		return CompileCondition(source) // refused by its length; not worth its place
	}
	entry := c.entry(source)
	entry.once.Do(func() { entry.condition, entry.err = CompileCondition(source) })
	return entry.condition, entry.err
}

// Len is the number of conditions held.
func (c *ConditionCache) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recent.Len()
}

func (c *ConditionCache) entry(source string) *cacheEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.entries[source]; ok {
		c.recent.MoveToFront(element)
		return element.Value.(*cacheEntry)
	}
	entry := &cacheEntry{source: source}
	c.entries[source] = c.recent.PushFront(entry)
	if c.recent.Len() > c.size {
		oldest := c.recent.Back()
		c.recent.Remove(oldest)
		delete(c.entries, oldest.Value.(*cacheEntry).source)
	}
	return entry
}

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// The limits of the catalogue as a whole; audience has those of one window.
const (
	maxEventNames      = 10_000
	maxEventProperties = 300 // rows of one event: a property has one for each type
	maxTraitNames      = 2_000
)

// rulesFor is how long renames, blocks and declared types are believed before they are read again.
const rulesFor = time.Second

// flushTimeout bounds writing the figures of one window.
const flushTimeout = 10 * time.Second

// Catalogue stands before Ingest: it renames and blocks events, makes traits of their declared types, and notes what comes in. Notes are
// kept in memory and written by Flush, so that ingestion never waits for them: what was noted since the last Flush is lost with a process
// that is killed. The figures are for people; nothing is decided by them. It is safe for concurrent use.
type Catalogue struct {
	store *Store

	loading sync.Mutex // held while the rules are read
	mu      sync.Mutex // guards the rest, for moments only
	rules   audience.CatalogueRules
	readAt  time.Time
	read    bool
	seen    *audience.Observer
}

// NewCatalogue makes the catalogue of a store. Run or Flush writes what it notes.
func NewCatalogue(s *Store) *Catalogue {
	return &Catalogue{store: s, seen: audience.NewObserver()}
}

// Ingest does what Store.Ingest does, by the rules of the catalogue, which are a second old at most. For an event that is blocked the
// answer says so; nothing of it is stored.
func (c *Catalogue) Ingest(ctx context.Context, now time.Time, incoming []audience.Incoming) ([]audience.Accepted, error) {
	rules, err := c.current(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("ingest: %w", err)
	}
	applied := rules.Apply(incoming)
	accepted, err := c.store.Ingest(ctx, now, applied.Events)
	if err != nil {
		return nil, err
	}
	if len(accepted) != len(applied.Events) {
		return nil, fmt.Errorf("ingest: %d answers for %d events", len(accepted), len(applied.Events))
	}
	c.note(applied, accepted, now)
	if applied.At == nil {
		return accepted, nil
	}
	out := make([]audience.Accepted, len(incoming))
	for i := range out {
		out[i].Blocked = true
	}
	for i, at := range applied.At {
		out[at] = accepted[i]
	}
	return out, nil
}

func (c *Catalogue) note(applied audience.Applied, accepted []audience.Accepted, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen.Left(applied)
	for i := range accepted {
		if !accepted[i].Duplicate {
			c.seen.See(&applied.Events[i], accepted[i].ContactID, now)
		}
	}
}

// current gives the rules, read anew when they are old.
func (c *Catalogue) current(ctx context.Context, now time.Time) (audience.CatalogueRules, error) {
	if rules, fresh := c.remembered(now); fresh {
		return rules, nil
	}
	c.loading.Lock()
	defer c.loading.Unlock()
	if rules, fresh := c.remembered(now); fresh { // somebody else has read them meanwhile
		return rules, nil
	}
	rules, err := c.store.catalogueRules(ctx)
	if err != nil {
		return rules, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rules, c.readAt, c.read = rules, now, true
	return rules, nil
}

func (c *Catalogue) remembered(now time.Time) (audience.CatalogueRules, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := now.Sub(c.readAt)
	return c.rules, c.read && age < rulesFor && age > -rulesFor
}

func (s *Store) catalogueRules(ctx context.Context) (audience.CatalogueRules, error) {
	rules := audience.CatalogueRules{Renamed: map[string]string{}, Blocked: map[string]bool{}, Declare: map[string]audience.ValueType{}}
	events, err := s.q.ListEventRules(ctx)
	if err != nil {
		return rules, failure("read the catalogue's rules", err)
	}
	for _, row := range events {
		if row.Blocked {
			rules.Blocked[row.Name] = true
		} else {
			rules.Renamed[row.Name] = row.RenamedTo
		}
	}
	traits, err := s.q.ListDeclaredTraits(ctx)
	if err != nil {
		return rules, failure("read declared traits", err)
	}
	for _, row := range traits {
		rules.Declare[row.Name] = audience.ValueType(row.Declared)
	}
	return rules, nil
}

// Run writes the notes at every tick, and those that are left when the context ends. failed is told what could not be written.
func (c *Catalogue) Run(ctx context.Context, ticks <-chan time.Time, failed func(error)) {
	// A window that is being written when the context ends is written nevertheless.
	writing := context.WithoutCancel(ctx)
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-ticks:
		}
		if err := c.Flush(writing); err != nil {
			failed(err)
		}
	}
}

// Flush writes what was noted since the last time. What can't be written is lost: they are figures, and holding them for a database that is
// away would grow without end.
func (c *Catalogue) Flush(ctx context.Context) error {
	c.mu.Lock()
	seen := c.seen.Take()
	c.mu.Unlock()
	if seen.Empty() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	return failure("write the catalogue", retry(ctx, func() error {
		batch := &pgx.Batch{}
		if err := errors.Join(queueEvents(batch, seen), queueTraits(batch, seen)); err != nil {
			return err
		}
		return c.store.pool.SendBatch(ctx, batch).Close() // one implicit transaction
	}))
}

type seenNames struct {
	names       []string
	counts      []int64
	first, last []time.Time
}

type seenTypes struct {
	names, properties, types, samples []string
	counts                            []int64
}

func collectSeen(all map[string]*audience.ObservedName) (seenNames, seenTypes, error) {
	var n seenNames
	var t seenTypes
	for _, name := range slices.Sorted(maps.Keys(all)) {
		o := all[name]
		n.names, n.counts = append(n.names, name), append(n.counts, o.Count)
		n.first, n.last = append(n.first, o.First), append(n.last, o.Last)
		for _, property := range slices.Sorted(maps.Keys(o.Properties)) {
			for _, kind := range slices.Sorted(maps.Keys(o.Properties[property])) {
				seen := o.Properties[property][kind]
				samples := []byte("[]")
				if len(seen.Samples) > 0 {
					var err error
					if samples, err = json.Marshal(seen.Samples); err != nil {
						return n, t, err
					}
				}
				t.names, t.properties, t.types = append(t.names, name), append(t.properties, property), append(t.types, string(kind))
				t.counts, t.samples = append(t.counts, seen.Count), append(t.samples, string(samples))
			}
		}
	}
	return n, t, nil
}

func queueEvents(batch *pgx.Batch, seen *audience.Observed) error {
	n, t, err := collectSeen(seen.Events)
	if err != nil {
		return err
	}
	if len(n.names) > 0 {
		batch.Queue(dbsqlc.CountEventNames, n.names, n.counts, n.first, n.last, int64(maxEventNames))
	}
	if len(t.names) > 0 {
		batch.Queue(dbsqlc.CountProperties, t.names, t.properties, t.types, t.counts, t.samples, int64(maxEventProperties))
	}
	if names, counts := sortedCounts(seen.Blocked); len(names) > 0 {
		batch.Queue(dbsqlc.CountBlocked, names, counts)
	}
	return nil
}

func queueTraits(batch *pgx.Batch, seen *audience.Observed) error {
	n, t, err := collectSeen(seen.Traits)
	if err != nil {
		return err
	}
	if len(n.names) > 0 {
		batch.Queue(dbsqlc.CountTraits, n.names, n.first, n.last, int64(maxTraitNames))
	}
	if len(t.names) > 0 {
		batch.Queue(dbsqlc.CountTraitTypes, t.names, t.types, t.counts, t.samples)
	}
	if names, counts := sortedCounts(seen.Mismatches); len(names) > 0 {
		batch.Queue(dbsqlc.CountMismatches, names, counts)
	}
	return nil
}

func sortedCounts(m map[string]int64) ([]string, []int64) {
	names := slices.Sorted(maps.Keys(m))
	counts := make([]int64, len(names))
	for i, name := range names {
		counts[i] = m[name]
	}
	return names, counts
}

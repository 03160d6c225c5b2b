package activities

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/journey"
)

// maxVersions bounds the cache; a version is a few kilobytes.
const maxVersions = 1000

// Versions keeps parsed definitions by hash. A version never changes, so an entry never goes stale.
type Versions struct {
	source     VersionSource
	conditions *audience.ConditionCache

	mu   sync.Mutex
	defs map[string]loaded
}

type loaded struct {
	def  *journey.Definition
	plan *journey.Plan
}

// NewVersions makes a cache over the source.
func NewVersions(source VersionSource) *Versions {
	return &Versions{source: source, conditions: audience.NewConditionCache(4 * maxVersions), defs: map[string]loaded{}}
}

// missingVersion says that a version has to be loaded before a transaction can go on.
type missingVersion struct{ hash string }

func (e *missingVersion) Error() string { return "version " + e.hash + " is not loaded" }

// loaded finds a version that was loaded before. Inside a transaction nothing else will do: a load needs a second
// connection, and transactions that all wait for one would wait forever.
func (v *Versions) loaded(hash string) (loaded, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if l, ok := v.defs[hash]; ok {
		return l, nil
	}
	return loaded{}, &missingVersion{hash: hash}
}

// with runs a transaction, and runs it again for each version that it turns out to need.
func (v *Versions) with(ctx context.Context, transaction func() error) error {
	for {
		err := transaction()
		var missing *missingVersion
		if !errors.As(err, &missing) {
			return err
		}
		if _, err := v.load(ctx, missing.hash); err != nil {
			return err
		}
	}
}

func (v *Versions) load(ctx context.Context, hash string) (loaded, error) {
	if l, err := v.loaded(hash); err == nil {
		return l, nil
	}
	version, err := v.source.FindVersionByHash(ctx, hash)
	if err != nil {
		return loaded{}, fmt.Errorf("find version %s: %w", hash, err)
	}
	def, problems := journey.Parse(version.Document)
	if fault.HasErrors(problems) {
		// A version was valid when it was frozen: only a newer, stricter parser can refuse it.
		return loaded{}, fault.WithProblems("version_unreadable", "A published version can no longer be read.", problems)
	}
	plan, err := journey.Compile(def)
	if err != nil {
		return loaded{}, fmt.Errorf("compile version %s: %w", hash, err)
	}
	plan.Hash = hash
	l := loaded{def: def, plan: plan}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.defs) >= maxVersions {
		clear(v.defs)
	}
	v.defs[hash] = l
	return l, nil
}

// step finds a step's definition.
func (v *Versions) step(ctx context.Context, ref StepRef) (*journey.Step, error) {
	l, err := v.load(ctx, ref.Hash)
	if err != nil {
		return nil, err
	}
	step := l.def.Step(ref.Step)
	if step == nil {
		return nil, fault.New(fault.Invalid, "unknown_step", "The version has no such step.")
	}
	return step, nil
}

// holds evaluates a condition; an empty one always holds.
func (v *Versions) holds(source string, facts audience.Facts) (audience.Verdict, error) {
	if source == "" {
		return audience.Verdict{Holds: true}, nil
	}
	condition, err := v.conditions.Compile(source)
	if err != nil {
		return audience.Verdict{}, fmt.Errorf("compile condition: %w", err)
	}
	return condition.Holds(facts)
}

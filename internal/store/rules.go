package store

import (
	"context"
	"fmt"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/sales"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// rules are what is derived by: the scoring model and the live segments, compiled. They never change; another revision is another value.
type rules struct {
	revision int64
	model    *sales.Model
	segments []*liveSegment
	// system tells whether a segment looks at what Throughline itself notes, so that a note can concern it.
	system bool
}

// liveSegment is a segment that membership is kept of.
type liveSegment struct {
	key       string
	condition *audience.Condition
	names     audience.Names
	trend     audience.Trend
	filling   bool // the walk that fills it is under way: entering and leaving is silent
	holdsBare bool // it holds for a contact of whom nothing is known
}

// liveRules gives the rules of a revision, from memory if they are those.
func (s *Store) liveRules(ctx context.Context, q *dbsqlc.Queries, revision int64) (*rules, error) {
	if r := s.rules.Load(); r != nil && r.revision == revision {
		return r, nil
	}
	r, err := loadRules(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load rules: %w", err)
	}
	s.rules.Store(r)
	return r, nil
}

func loadRules(ctx context.Context, q *dbsqlc.Queries) (*rules, error) {
	// The revision is read first: what is loaded is of that revision or newer, and if newer it is loaded once more.
	revision, err := q.RulesRevision(ctx)
	if err != nil {
		return nil, failure("read rules revision", err)
	}
	r := &rules{revision: revision}
	if r.model, err = loadModel(ctx, q); err != nil {
		return nil, err
	}
	rows, err := q.ListLiveSegments(ctx)
	if err != nil {
		return nil, failure("list live segments", err)
	}
	for _, row := range rows {
		condition, err := audience.CompileCondition(row.Condition)
		if err != nil {
			return nil, fmt.Errorf("segment %s: %w", row.Key, err)
		}
		seg := &liveSegment{key: row.Key, condition: condition, names: condition.Names(), trend: condition.Trend(), filling: row.FilledAt == nil}
		standing, err := condition.Stands(bareFacts{})
		seg.holdsBare = err != nil || standing.Holds
		for _, name := range seg.names.Events {
			r.system = r.system || audience.Reserved(name)
		}
		r.segments = append(r.segments, seg)
	}
	return r, nil
}

// raiseRules says that the rules are others now. It belongs into the transaction that changes them.
func raiseRules(ctx context.Context, q *dbsqlc.Queries) error {
	return failure("raise rules revision", q.RaiseRules(ctx))
}

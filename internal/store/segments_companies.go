package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// tellAtOnce is of how many companies the members are told in one step.
const tellAtOnce = 20

// RefreshCompanies adds up the scores of some companies, those after an id (empty: from the first), and lets the members of companies that are
// no longer the same be judged again. It gives the id to go on after, empty at the end: called again and again, it goes round.
func (s *Store) RefreshCompanies(ctx context.Context, now time.Time, after string, limit int) (next string, err error) {
	from := uuid.UUID{}
	if after != "" {
		if from, err = parseID(after); err != nil {
			return "", failure("refresh companies", err)
		}
	}
	limit = clampLimit(limit)
	ids, err := s.q.ListCompanyIDs(ctx, from, int32(limit))
	if err != nil {
		return "", failure("list companies", err)
	}
	if len(ids) > 0 {
		tell, err := s.rulesLookAtCompanyScores(ctx)
		if err != nil {
			return "", err
		}
		if _, err := s.q.RefreshCompanyScores(ctx, tell, now, ids); err != nil {
			return "", failure("add up the scores of companies", err)
		}
	}
	if err := s.tellMembers(ctx, now); err != nil {
		return "", err
	}
	if len(ids) < limit {
		return "", nil
	}
	return ids[len(ids)-1].String(), nil
}

// rulesLookAtCompanyScores tells whether a sum that changed can change anything else: if not, its members are left alone.
func (s *Store) rulesLookAtCompanyScores(ctx context.Context) (bool, error) {
	revision, err := s.q.RulesRevision(ctx)
	if err != nil {
		return false, failure("read rules revision", err)
	}
	r, err := s.liveRules(ctx, s.q, revision)
	if err != nil {
		return false, err
	}
	looks := func(names audience.Names) bool { return slices.Contains(names.CompanyTraits, audience.CompanyScore) }
	return looks(r.model.FitNames()) || slices.ContainsFunc(r.segments, func(seg *liveSegment) bool { return looks(seg.names) }), nil
}

// tellMembers makes the members of companies that changed due.
func (s *Store) tellMembers(ctx context.Context, now time.Time) error {
	companies, err := s.q.ListChangedCompanies(ctx, tellAtOnce)
	if err != nil {
		return failure("list companies that changed", err)
	}
	for _, company := range companies {
		err := s.inTx(ctx, func(q *dbsqlc.Queries) error {
			// First the contacts, then the company, as ingestion does. What changes it meanwhile sets another time, and it is told again.
			ids, err := q.LockCompanyMembers(ctx, company.ID)
			if err != nil {
				return err
			}
			if err := q.RecheckContacts(ctx, now, ids); err != nil {
				return err
			}
			return q.CompanyTold(ctx, company.ID, &company.ChangedAt)
		})
		if err != nil {
			return failure("tell the members of a company", err)
		}
	}
	return nil
}

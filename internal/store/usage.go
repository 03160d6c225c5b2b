package store

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

func monthOf(now time.Time) string { return now.UTC().Format("2006-01") }

// ReserveUsage puts aside one request and the tokens that it may cost, in the month of now. false: the budget does not hold that much. However
// many ask at once, what they are granted together stays within it.
func (s *Store) ReserveUsage(ctx context.Context, budget email.SubjectBudget, tokens int64, now time.Time) (bool, error) {
	rows, err := s.q.ReserveUsage(ctx, dbsqlc.ReserveUsageParams{Month: monthOf(now), Tokens: tokens, MaxRequests: budget.Requests, MaxTokens: budget.Tokens})
	return rows == 1, failure("reserve usage", err)
}

// ReturnUsage gives back tokens that were put aside at a moment and not spent.
func (s *Store) ReturnUsage(ctx context.Context, tokens int64, reservedAt time.Time) error {
	return failure("return usage", s.q.ReturnUsage(ctx, tokens, monthOf(reservedAt)))
}

// Usage is what was spent in the month of a moment, and what is put aside.
func (s *Store) Usage(ctx context.Context, now time.Time) (email.SubjectUsage, error) {
	row, err := s.q.FindUsage(ctx, monthOf(now))
	if isNoRows(err) {
		return email.SubjectUsage{}, nil
	}
	return email.SubjectUsage{Requests: row.Requests, Tokens: row.Tokens}, failure("find usage", err)
}

package store

import (
	"context"
	"encoding/json"
	"time"

	"throughline.dev/throughline/internal/email"
)

// FindDeliverabilityCheck finds what the last look has found, and when that was; nil: nobody has looked yet.
func (s *Store) FindDeliverabilityCheck(ctx context.Context) (json.RawMessage, error) {
	row, err := s.q.FindDeliverabilityCheck(ctx)
	if isNoRows(err) {
		return nil, nil
	}
	return row.Report, failure("find deliverability check", err)
}

// SaveDeliverabilityCheck keeps what a look has found, in place of what was found before.
func (s *Store) SaveDeliverabilityCheck(ctx context.Context, at time.Time, report json.RawMessage) error {
	return failure("save deliverability check", s.q.SaveDeliverabilityCheck(ctx, at, report))
}

// CountMails counts what became of the mails since a moment.
func (s *Store) CountMails(ctx context.Context, since time.Time) ([]email.Numbers, error) {
	rows, err := s.q.CountMails(ctx, since)
	if err != nil {
		return nil, failure("count mails", err)
	}
	out := make([]email.Numbers, len(rows))
	for i, row := range rows {
		out[i] = email.Numbers{
			Journey: row.Journey, Domain: row.Domain, Class: email.Class(row.Class), Mails: row.Mails, Delivered: row.Delivered,
			HardBounces: row.HardBounces, OtherBounces: row.OtherBounces, Complaints: row.Complaints,
		}
	}
	return out, nil
}

// CountSuppressions counts the addresses that are never written to, by reason.
func (s *Store) CountSuppressions(ctx context.Context) ([]email.SuppressedFor, error) {
	rows, err := s.q.CountSuppressions(ctx)
	if err != nil {
		return nil, failure("count suppressions", err)
	}
	out := make([]email.SuppressedFor, len(rows))
	for i, row := range rows {
		out[i] = email.SuppressedFor{Reason: row.Reason, Addresses: row.Addresses}
	}
	return out, nil
}

// CountUnmatchedReports counts reports about messages that are not ours, or not known yet.
func (s *Store) CountUnmatchedReports(ctx context.Context) (int64, error) {
	n, err := s.q.CountUnmatchedReports(ctx)
	return n, failure("count unmatched reports", err)
}

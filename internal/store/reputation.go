package store

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/email"
)

// Reputations says what became of the mails of journeys of which something bad was reported since a moment. Journeys that are paused are left out.
func (s *Store) Reputations(ctx context.Context, since time.Time) ([]email.Reputation, error) {
	rows, err := s.q.ListReputations(ctx, since)
	if err != nil {
		return nil, failure("list reputations", err)
	}
	out := make([]email.Reputation, len(rows))
	for i, row := range rows {
		out[i] = email.Reputation{Journey: row.Journey, Mails: row.Mails, Complaints: row.Complaints, HardBounces: row.HardBounces}
	}
	return out, nil
}

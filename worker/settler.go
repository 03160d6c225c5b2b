package worker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"throughline.dev/throughline/internal/audience"
)

// ClickSource keeps the clicks on links of mails until it can be told who made them.
type ClickSource interface {
	DueClicks(ctx context.Context, now time.Time, limit int) ([]audience.MailClicks, error)
	SettleClicks(ctx context.Context, judged []audience.JudgedClick) error
	ForgetClicks(ctx context.Context, now time.Time) error
}

// Settler turns people's clicks into events, once they have been held.
//
// First the events are taken in, then the clicks are settled: whoever dies in between leaves clicks that are judged again, and whose events
// are found to be there. So several workers may do the same at once.
type Settler struct {
	Source ClickSource
	// Ingest takes events in. Those of a contact that is not there any more are nobody's, and no failure.
	Ingest func(ctx context.Context, now time.Time, events []audience.Incoming) ([]audience.Accepted, error)
	Poke   func(ctx context.Context, contactID string) error
	Every  time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

const settleBatch = 100

// Run settles until the context ends.
func (s *Settler) Run(ctx context.Context) {
	ticker := time.NewTicker(s.Every)
	defer ticker.Stop()
	for {
		n, err := s.Turn(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("clicks not settled, to be taken up again", "error", err.Error())
		}
		if n == settleBatch && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Turn settles what is due, and tells of how many mails. One that fails keeps no other waiting.
func (s *Settler) Turn(ctx context.Context) (int, error) {
	due, err := s.Source.DueClicks(ctx, s.Now(), settleBatch)
	if err != nil {
		return 0, fmt.Errorf("find due clicks: %w", err)
	}
	var first error
	for _, clicks := range due {
		if err := s.settle(ctx, clicks); err != nil && first == nil {
			first = err
		}
	}
	if err := s.Source.ForgetClicks(ctx, s.Now()); err != nil && first == nil {
		first = fmt.Errorf("forget clicks: %w", err)
	}
	return len(due), first
}

func (s *Settler) settle(ctx context.Context, clicks audience.MailClicks) error {
	if len(clicks.Events) > 0 {
		accepted, err := s.Ingest(ctx, s.Now(), clicks.Events)
		if err != nil {
			return fmt.Errorf("take in clicks: %w", err)
		}
		for _, a := range accepted {
			if a.Poke {
				if err := s.Poke(ctx, a.ContactID); err != nil {
					s.Log.Warn("journey not woken, left to the sweeper", "contact_id", a.ContactID, "error", err.Error())
				}
				break // they are all of one contact
			}
		}
	}
	if err := s.Source.SettleClicks(ctx, clicks.Judged); err != nil {
		return fmt.Errorf("settle clicks: %w", err)
	}
	return nil
}

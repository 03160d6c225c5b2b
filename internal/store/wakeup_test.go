package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// TestNoWakeUpIsLost races an event against a reader that goes to sleep: thousands of rounds of an Ingest committing while InContact reads
// after its cursor and parks with new interests. After each round the reader has seen the event, or the event has poked. The contact wakes
// as the product does: a poke is followed by a read.
func TestNoWakeUpIsLost(t *testing.T) {
	t.Parallel()
	const rounds, contacts = 1500, 2
	s := storetest.New(t)
	group, ctx := errgroup.WithContext(t.Context())
	for c := range contacts {
		group.Go(func() error {
			user := fmt.Sprintf("user-%d", c)
			first, err := s.Ingest(ctx, start, []audience.Incoming{track(user, "Start", user)})
			if err != nil {
				return err
			}
			cursor := int64(0)
			var seen, poked int
			for round := range rounds {
				// A name of its own for each round: the interest in it is new, and nothing but this round's park writes it.
				name := fmt.Sprintf("Event %d", round)
				sawEvent, poke, err := raceOnce(ctx, s, first[0].ContactID, track(user, name, user+name), &cursor)
				if err != nil {
					return err
				}
				if !sawEvent && !poke {
					return fmt.Errorf("round %d of %s: the wake-up is lost", round, user)
				}
				if sawEvent {
					seen++
				}
				if poke {
					poked++
				}
			}
			t.Logf("%s: the reader saw %d events, %d poked", user, seen, poked)
			if seen == 0 || poked == 0 {
				return fmt.Errorf("the race never went both ways: %d seen, %d poked", seen, poked)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
}

func raceOnce(ctx context.Context, s *store.Store, contactID string, event audience.Incoming, cursor *int64) (saw, poke bool, err error) {
	gate := make(chan struct{})
	round, ctx := errgroup.WithContext(ctx)
	round.Go(func() error {
		<-gate
		accepted, err := s.Ingest(ctx, start, []audience.Incoming{event})
		if err == nil {
			poke = accepted[0].Poke
		}
		return err
	})
	round.Go(func() error {
		<-gate
		return s.InContact(ctx, contactID, func(ctx context.Context, tx *store.ContactTx) error {
			events, err := tx.EventsAfter(ctx, *cursor, []string{event.Name}, 10)
			if err != nil {
				return err
			}
			saw = len(events) > 0
			*cursor = tx.LastSeq()
			return tx.Park(ctx, []string{event.Name}, 0)
		})
	})
	close(gate)
	err = round.Wait()
	return saw, poke, err
}

package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// BenchmarkIngest takes batches of 100 events in: of contacts that are known, and each of a new contact.
func BenchmarkIngest(b *testing.B) {
	const size = 100
	for name, user := range map[string]func(n int) string{
		"known contacts": func(n int) string { return fmt.Sprint("user-", n*7919%5000) },
		"new contacts":   func(n int) string { return fmt.Sprint("new-", n) },
		"one contact":    func(int) string { return "one" },
	} {
		b.Run(name, func(b *testing.B) {
			s := storetest.New(b)
			n := 0
			batch := func(prefix string) []audience.Incoming {
				events := make([]audience.Incoming, size)
				for i := range events {
					events[i] = track(user(n), "Project Created", fmt.Sprint(prefix, n))
					n++
				}
				return events
			}
			for n < 5000 {
				ingest(b, s, start, batch("warm-")...)
			}
			b.ResetTimer()
			for b.Loop() {
				_, err := s.Ingest(b.Context(), start, batch(""))
				require.NoError(b, err)
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkInContact is the price of a decision: the lock, one entry of the journal, the commit.
func BenchmarkInContact(b *testing.B) {
	s := storetest.New(b)
	id := newContact(b, s)
	for b.Loop() {
		require.NoError(b, s.InContact(b.Context(), id, func(ctx context.Context, tx *store.ContactTx) error {
			return tx.Park(ctx, []string{"A"}, 1)
		}))
	}
}

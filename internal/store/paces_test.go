package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

// However many processes hear it, a provider that asks is slowed down once; what it asked is kept without what it said.
func TestSlowDownsCountOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := s.SlowPace(t.Context(), "gmail", 600, 0, email.Delivery{Code: 421, Enhanced: "4.7.28", Reply: "ana@gmail.com is too popular"}, start)
			require.NoError(t, err)
		})
	}
	wg.Wait()
	paces, err := s.ListPaces(t.Context())
	require.NoError(t, err)
	require.Equal(t, []email.Pace{{Provider: "gmail", Rate: 300, Ceiling: 600, SlowedAt: ptr(start), SlowDowns: 1, Code: 421, Enhanced: "4.7.28"}}, paces)
	_, err = s.SlowPace(t.Context(), "acme.example", 0, 0, email.Delivery{Code: 421}, start.Add(31*24*time.Hour))
	require.NoError(t, err)
	paces, err = s.ListPaces(t.Context())
	require.NoError(t, err)
	require.Len(t, paces, 1, "what nobody has asked for a month is forgotten")
}

// Processes that take turns at the same time get different ones: together they keep to the rate.
func TestTurnsAreGivenOutOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	const gap = 100 * time.Millisecond
	var mu sync.Mutex
	taken := map[time.Time]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				first, ok, err := s.LeaseTurns(t.Context(), "gmail", 3, gap, start.Add(10*time.Second), start)
				require.NoError(t, err)
				if !ok {
					return
				}
				mu.Lock()
				for i := range 3 {
					at := first.Add(time.Duration(i) * gap).UTC()
					require.False(t, taken[at], "a turn was given out twice")
					taken[at] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Len(t, taken, 102, "those up to the horizon and no more")
	require.True(t, taken[start], "the first at once")
	_, ok, err := s.LeaseTurns(t.Context(), "acme.example", 1, time.Minute, start.Add(time.Second), start)
	require.NoError(t, err)
	require.True(t, ok, "another provider has its own")
}

// directMessages writes messages of no enrollment.
func directMessages(t *testing.T, s *store.Store, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		contact := newContact(t, s)
		ids[i] = uuid.NewString()
		inContact(t, s, contact, func(ctx context.Context, tx *store.ContactTx) {
			require.NoError(t, tx.InsertDirect(ctx, email.Message{
				ID: ids[i], ContactID: contact, Template: "x", Class: email.Transactional, State: email.Queued, ToAddress: "ana@example.test",
				CreatedAt: start.Add(time.Duration(i) * time.Second), UpdatedAt: start.Add(time.Duration(i) * time.Second),
			}, nil))
		})
	}
	return ids
}

func deferAll(t *testing.T, s *store.Store, conn *pgx.Conn, ids []string, attempt int, at time.Time) {
	t.Helper()
	for _, id := range ids {
		_, err := conn.Exec(t.Context(), "UPDATE messages SET state = 'deferred', attempt = $2::int, fence = $2::int, updated_at = $3 WHERE id = $1", id, attempt, at)
		require.NoError(t, err)
	}
}

// A page of mails that are put off, or wait for their turn, hides no other: new ones come first, then those that are due.
func TestDirectMessagesAreFoundWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ids := directMessages(t, s, 8)
	now := start.Add(time.Hour)
	delays := []time.Duration{time.Minute, 30 * time.Minute}
	deferAll(t, s, conn, ids[:3], 2, now.Add(-10*time.Minute)) // long untouched, and not due
	deferAll(t, s, conn, ids[3:5], 1, now.Add(-2*time.Minute)) // due
	deferAll(t, s, conn, ids[5:6], 9, now.Add(-29*time.Minute))
	list := func(now time.Time, limit int) (found []string) {
		refs, err := s.ListDirect(t.Context(), now, delays, limit)
		require.NoError(t, err)
		for _, ref := range refs {
			found = append(found, ref.ID)
		}
		return found
	}
	require.Equal(t, []string{ids[6], ids[7]}, list(now, 2), "new ones first")
	require.ElementsMatch(t, []string{ids[6], ids[7], ids[3], ids[4]}, list(now, 4))
	require.NoError(t, s.NoteWait(t.Context(), ids[6], "example.test", now.Add(time.Minute)))
	require.ElementsMatch(t, []string{ids[7], ids[3], ids[4]}, list(now, 10))
	m, err := s.FindMessage(t.Context(), ids[6])
	require.NoError(t, err)
	require.Equal(t, &email.Wait{Provider: "example.test", Until: now.Add(time.Minute)}, utc(m.Waits))
	require.Equal(t, email.ReasonPaced, m.Reason)
	providers, err := s.ListProviders(t.Context(), now)
	require.NoError(t, err)
	require.Equal(t, []email.ProviderPace{{Pace: email.Pace{Provider: "example.test"}, Waiting: 1}}, providers)
	require.Contains(t, list(now.Add(time.Minute), 10), ids[6])
}

func utc(w *email.Wait) *email.Wait {
	if w != nil {
		w.Until = w.Until.UTC()
	}
	return w
}

// Who listens for new messages has a connection of its own, and gives it back to nobody: one of the pool would go on collecting what it is told.
func TestListeningTakesNoConnectionOfThePool(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	listening := func() (n int) {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN direct_messages'").Scan(&n))
		return n
	}
	ctx, cancel := context.WithCancel(t.Context())
	woken, ended := make(chan struct{}, 100), make(chan error, 1)
	go func() { ended <- s.ListenDirect(ctx, func() { woken <- struct{}{} }) }()
	require.Eventually(t, func() bool { return listening() == 1 }, 30*time.Second, 10*time.Millisecond)
	directMessages(t, s, 2)
	<-woken
	<-woken
	cancel()
	require.Error(t, <-ended)
	require.Eventually(t, func() bool { return listening() == 0 }, 30*time.Second, 10*time.Millisecond, "its connection is closed, and not lent to the next")
}

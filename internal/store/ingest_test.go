package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
	"throughline.dev/throughline/internal/store/storetest"
)

func TestIngestDeduplicates(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	first := ingest(t, s, start, track("ana", "A", "1"), track("ana", "A", "1"), track("ana", "B", "2"), track("bob", "A", "3"))
	require.False(t, first[0].Duplicate)
	require.True(t, first[1].Duplicate, "within a batch")
	require.Equal(t, first[0].EventID, first[1].EventID)
	require.Equal(t, []int64{1, 1, 2, 1}, []int64{first[0].Seq, first[1].Seq, first[2].Seq, first[3].Seq})
	require.NotEqual(t, first[0].ContactID, first[3].ContactID)

	again := ingest(t, s, start, track("ana", "A", "1"), track("ana", "A", "1"), track("ana", "B", "2"), track("bob", "A", "3"))
	for i, a := range again {
		require.True(t, a.Duplicate, "between batches")
		require.Equal(t, first[i].EventID, a.EventID)
		require.Equal(t, first[i].ContactID, a.ContactID)
		require.Equal(t, first[i].Seq, a.Seq)
	}
	other := track("ana", "A", "1")
	other.Source = "another key"
	require.False(t, ingest(t, s, start, other)[0].Duplicate, "message ids are unique within a source")
}

func TestIngestDuplicateMakesNoContact(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	first := ingest(t, s, start, track("ana", "A", "1"))
	again := ingest(t, s, start, track("somebody else", "A", "1"))
	require.True(t, again[0].Duplicate)
	require.Equal(t, first[0].ContactID, again[0].ContactID)
	var n int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM contacts").Scan(&n))
	require.Equal(t, 1, n)
}

func TestIngestResolvesIdentities(t *testing.T) {
	t.Parallel()
	who := func(user, address, anonymous string) audience.Incoming {
		e := audience.Incoming{
			Source: "test", MessageID: uuid.NewString(), Type: audience.TypeTrack, Name: "A", UserID: user, Email: address, AnonymousID: anonymous,
			OccurredAt: start,
		}
		if user != "" && anonymous != "" { // only then is an anonymous id linked
			e.Type, e.Name = audience.TypeIdentify, ""
		}
		return e
	}
	for name, test := range map[string]struct {
		events []audience.Incoming
		same   []int // which contact each event goes to, numbered in the order of appearance
	}{
		"anonymous becomes known":        {[]audience.Incoming{who("", "", "x"), who("ana", "", "x"), who("ana", "", "")}, []int{0, 0, 0}},
		"address becomes known":          {[]audience.Incoming{who("", "Ana@Example.test ", ""), who("ana", "ana@example.TEST", ""), who("ana", "", "")}, []int{0, 0, 0}},
		"user id beats address":          {[]audience.Incoming{who("ana", "", ""), who("", "b@example.test", ""), who("ana", "b@example.test", "")}, []int{0, 1, 0}},
		"address beats anonymous":        {[]audience.Incoming{who("", "a@example.test", ""), who("", "", "x"), who("", "a@example.test", "x")}, []int{0, 1, 0}},
		"conflict takes nothing over":    {[]audience.Incoming{who("ana", "", ""), who("", "b@example.test", ""), who("ana", "b@example.test", ""), who("", "b@example.test", "")}, []int{0, 1, 0, 1}},
		"two users on one device":        {[]audience.Incoming{who("ana", "", "x"), who("bob", "", "x"), who("", "", "x"), who("bob", "", "")}, []int{0, 1, 0, 1}},
		"two users of one address":       {[]audience.Incoming{who("ana", "a@example.test", ""), who("bob", "a@example.test", ""), who("", "a@example.test", "")}, []int{0, 1, 0}},
		"every free identity is linked":  {[]audience.Incoming{who("ana", "a@example.test", "x"), who("", "", "x"), who("", "a@example.test", ""), who("", "a@example.test", "y"), who("", "", "y")}, []int{0, 0, 0, 0, 0}},
		"broken text is still an id":     {[]audience.Incoming{who("a\x00b", "", ""), who("a\x00b", "", ""), who("a\xffb", "", "")}, []int{0, 0, 0}},
		"strangers":                      {[]audience.Incoming{who("ana", "", ""), who("", "", "ana"), who("", "ana", "")}, []int{0, 1, 2}},
		"new user id on a known contact": {[]audience.Incoming{who("ana", "a@example.test", ""), who("", "a@example.test", "z"), who("cy", "", "z"), who("cy", "", "")}, []int{0, 0, 1, 1}},
	} {
		for _, mode := range []string{"one batch", "a batch each"} {
			t.Run(name+" in "+mode, func(t *testing.T) {
				t.Parallel()
				s := storetest.New(t)
				var accepted []audience.Accepted
				if mode == "one batch" {
					accepted = ingest(t, s, start, test.events...)
				} else {
					for _, e := range test.events {
						accepted = append(accepted, ingest(t, s, start, e)...)
					}
				}
				numbers := map[string]int{}
				var got []int
				for _, a := range accepted {
					if _, seen := numbers[a.ContactID]; !seen {
						numbers[a.ContactID] = len(numbers)
					}
					got = append(got, numbers[a.ContactID])
				}
				require.Equal(t, test.same, got)
			})
		}
	}
}

func TestIngestNamedContact(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	id := newContact(t, s)
	signal := audience.Incoming{Source: "key", MessageID: "1", Type: audience.TypeSignal, Name: "Paid", ContactID: id, OccurredAt: start}
	require.Equal(t, id, ingest(t, s, start, signal)[0].ContactID)
	for _, unknown := range []string{uuid.NewString(), "no id"} {
		signal.MessageID, signal.ContactID = unknown, unknown
		_, err := s.Ingest(t.Context(), start, []audience.Incoming{track("ana", "A", "of the same batch"), signal})
		requireFault(t, err, fault.NotFound, "contact_not_found")
	}
	_, err := s.FindContactBy(t.Context(), store.KindUserID, "ana")
	requireFault(t, err, fault.NotFound, "contact_not_found")
}

func TestIngestMergesTraits(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	later := start.Add(time.Hour)
	first := identify("ana", "1", map[string]any{"plan": "trial", "seats": 3.0, "email": "Ana@example.test", "nested": map[string]any{"a": "b"}})
	first.Timezone, first.Locale = "Europe/Lisbon", "pt"
	id := ingest(t, s, start, first)[0].ContactID
	ingest(t, s, later,
		identify("ana", "2", map[string]any{"plan": nil, "seats": 4.0}),
		identify("ana", "3", map[string]any{"seats": nil, "nul\x00": "a\x00b", `back\u0000`: `\u0000`}),
		identify("ana", "4", map[string]any{"seats": 5.0, "locale": "en"}))
	contact, err := s.FindContact(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"seats": 5.0, "email": "Ana@example.test", "nested": map[string]any{"a": "b"}, "nul\uFFFD": "a\uFFFDb", `back\u0000`: `\u0000`, "locale": "en",
	}, contact.Traits)
	require.Equal(t, "Ana@example.test", contact.Email)
	require.Equal(t, "Europe/Lisbon", contact.Timezone)
	require.Equal(t, "en", contact.Locale)
	require.Equal(t, start, contact.CreatedAt)
	require.Equal(t, later, contact.UpdatedAt)
	found, err := s.FindContactBy(t.Context(), store.KindEmail, " ANA@example.test")
	require.NoError(t, err)
	require.Equal(t, id, found.ID)

	byTrack := track("ana", "A", "5")
	byTrack.Email = "other@example.test"
	ingest(t, s, later, byTrack)
	contact, err = s.FindContact(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "Ana@example.test", contact.Email, "an event does not change the address")
	ingest(t, s, later, identify("ana", "6", map[string]any{"email": "new@example.test"}))
	contact, err = s.FindContact(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "new@example.test", contact.Email, "identify does")
	ingest(t, s, later, identify("ana", "7", map[string]any{"email": nil, "nested": nil}))
	contact, err = s.FindContact(t.Context(), id)
	require.NoError(t, err)
	require.Empty(t, contact.Email)
	require.NotContains(t, contact.Traits, "nested")
}

func TestIngestRefusesWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	long := string(make([]byte, 1001))
	nobody := track("", "A", "1")
	bad := []audience.Incoming{track("ana", "A", ""), track("ana", "", "2"), nobody, track(long, "A", "3"), {Source: "s", MessageID: "4", Type: "pigeon", UserID: "ana"}}
	_, err := s.Ingest(t.Context(), start, append(bad, track("ana", "A", "fine")))
	requireFault(t, err, fault.Invalid, "bad_events")
	f, _ := fault.As(err)
	var paths []string
	for _, p := range f.Problems {
		paths = append(paths, p.Path)
	}
	require.Equal(t, []string{"/0/message_id", "/1/name", "/2", "/3/user_id", "/4/type"}, paths)
	_, err = s.FindContactBy(t.Context(), store.KindUserID, "ana")
	requireFault(t, err, fault.NotFound, "contact_not_found")
	accepted, err := s.Ingest(t.Context(), start, nil)
	require.NoError(t, err)
	require.Empty(t, accepted)
}

func TestIngestPokes(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	publish(t, s, "trial", "Signed Up")
	poke := func(at time.Duration, name string, message string) bool {
		return ingest(t, s, start.Add(at), track("ana", name, message))[0].Poke
	}
	require.False(t, poke(0, "Looked Around", "0"), "nobody cares")
	require.True(t, poke(0, "Signed Up", "1"), "a trigger")
	require.False(t, poke(time.Second, "Signed Up", "2"), "pending already")
	require.True(t, poke(11*time.Second, "Looked Around", "3"), "the poke may have been lost")
	require.False(t, poke(12*time.Second, "Signed Up", "4"), "poked again just now")
	require.True(t, poke(time.Minute, "Signed Up", "4"), "a duplicate pokes when the mark is stale")

	contact, err := s.FindContactBy(t.Context(), store.KindUserID, "ana")
	require.NoError(t, err)
	pending, err := s.StalePending(t.Context(), start.Add(time.Minute), 30*time.Second, 10)
	require.NoError(t, err)
	require.Equal(t, []string{contact.ID}, pending)
	pending, err = s.StalePending(t.Context(), start.Add(time.Minute), time.Hour, 10)
	require.NoError(t, err)
	require.Empty(t, pending)

	inContact(t, s, contact.ID, func(ctx context.Context, tx *store.ContactTx) {
		require.True(t, tx.Pending())
		require.NoError(t, tx.Park(ctx, []string{"Paid", "Closed", "Paid"}, tx.LastSeq()))
		require.False(t, tx.Pending())
	})
	require.False(t, poke(time.Minute, "Looked Around", "5"), "parked, and nobody waits for this")
	require.True(t, poke(time.Minute, "Paid", "6"), "an interest")
	inContact(t, s, contact.ID, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.Park(ctx, nil, tx.LastSeq()))
	})
	require.False(t, poke(time.Minute, "Paid", "7"), "the interest is over")
	// Of several events of one contact, one pokes.
	batch := ingest(t, s, start.Add(time.Minute), track("ana", "Looked Around", "8"), track("ana", "Signed Up", "9"), track("ana", "Signed Up", "10"))
	require.Equal(t, []bool{false, true, false}, []bool{batch[0].Poke, batch[1].Poke, batch[2].Poke})
}

// TestIngestConcurrently sends the same events from eight sides at once, shuffled and cut into batches differently, with identities that
// make the same contacts. The model: each message is accepted once, each contact's numbers have no gap, each user is one contact.
func TestIngestConcurrently(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	const users, perUser, sides = 12, 40, 8
	var events []audience.Incoming
	for u := range users {
		for n := range perUser {
			e := track(fmt.Sprintf("user-%d", u), "A", fmt.Sprintf("%d-%d", u, n))
			e.Type, e.Name = audience.TypeIdentify, "" // says who it is: the device is linked, too
			e.Email = fmt.Sprintf("user-%d@example.test", u)
			e.AnonymousID = fmt.Sprintf("device-%d-%d", u, n%5)
			events = append(events, e)
		}
	}
	fresh := make([]int, sides)
	group, ctx := errgroup.WithContext(t.Context())
	for side := range sides {
		group.Go(func() error {
			random := rand.New(rand.NewPCG(uint64(side), 1)) //nolint:gosec // a shuffle
			mine := append([]audience.Incoming(nil), events...)
			random.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			for len(mine) > 0 {
				n := min(len(mine), 1+random.IntN(40))
				accepted, err := s.Ingest(ctx, start, mine[:n])
				if err != nil {
					return err
				}
				for _, a := range accepted {
					if !a.Duplicate {
						fresh[side]++
					}
				}
				mine = mine[n:]
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	total := 0
	for _, n := range fresh {
		total += n
	}
	require.Equal(t, len(events), total, "each message is accepted once")
	rows, err := conn.Query(t.Context(), `SELECT c.user_id, c.last_seq, count(*), min(e.seq), max(e.seq), count(DISTINCT e.seq),
		(SELECT count(*) FROM identities i WHERE i.contact_id = c.id)
		FROM contacts c JOIN events e ON e.contact_id = c.id GROUP BY c.id`)
	require.NoError(t, err)
	contacts := 0
	for rows.Next() {
		var user string
		var last, count, lowest, highest, distinct, identities int
		require.NoError(t, rows.Scan(&user, &last, &count, &lowest, &highest, &distinct, &identities))
		require.Equal(t, []int{perUser, perUser, 1, perUser, perUser}, []int{last, count, lowest, highest, distinct}, user)
		require.Equal(t, 1+1+5, identities)
		contacts++
	}
	require.NoError(t, rows.Err())
	require.Equal(t, users, contacts)
	var outOfOrder int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM (
		SELECT journal_id < lag(journal_id) OVER (PARTITION BY contact_id ORDER BY seq) AS wrong FROM events) x WHERE wrong`).Scan(&outOfOrder))
	require.Zero(t, outOfOrder, "the journal is in the order of the numbers")
}

// TestIngestConflictingMessages lets two sides send one message id for different contacts: one of them is a duplicate.
func TestIngestConflictingMessages(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	group, ctx := errgroup.WithContext(t.Context())
	for side := range 8 {
		group.Go(func() error {
			for n := range 30 {
				e := track(fmt.Sprintf("side-%d", side), "A", fmt.Sprint(n))
				if _, err := s.Ingest(ctx, start, []audience.Incoming{e}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	var events, gaps int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM events").Scan(&events))
	require.Equal(t, 30, events)
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM contacts c
		WHERE last_seq <> (SELECT count(*) FROM events e WHERE e.contact_id = c.id)`).Scan(&gaps))
	require.Zero(t, gaps)
}

func TestIngestLeavesNothingWhenCancelled(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Ingest(ctx, start, []audience.Incoming{track("ana", "A", "1")})
	require.True(t, errors.Is(err, context.Canceled))
	require.False(t, ingest(t, s, start, track("ana", "A", "1"))[0].Duplicate)
}

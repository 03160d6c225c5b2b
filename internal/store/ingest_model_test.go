package store_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store/storetest"
)

// TestIngestModel sends random batches, one after the other, and compares with a model that takes events one at a time: what is new, whose
// it is, which number it gets, and the traits in the end.
func TestIngestModel(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	rapid.Check(t, func(r *rapid.T) {
		run := uuid.NewString() // each check has contacts and messages of its own
		type modelContact struct {
			id     string
			seq    int64
			traits map[string]any
		}
		contacts, messages := map[string]*modelContact{}, map[string]audience.Accepted{}
		for range rapid.IntRange(1, 4).Draw(r, "batches") {
			var batch []audience.Incoming
			for range rapid.IntRange(1, 12).Draw(r, "events") {
				user := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "user")
				e := identify(run+user, run+fmt.Sprint(rapid.IntRange(0, 15).Draw(r, "message")), nil)
				e.Traits = rapid.MapOfN(rapid.SampledFrom([]string{"x", "y", "z"}), rapid.SampledFrom([]any{nil, 1.0, "t", true}), 0, 3).Draw(r, "traits")
				batch = append(batch, e)
			}
			accepted, err := s.Ingest(t.Context(), start, batch)
			require.NoError(r, err)
			for i, e := range batch {
				if earlier, ok := messages[e.MessageID]; ok {
					require.True(r, accepted[i].Duplicate)
					require.Equal(r, []any{earlier.ContactID, earlier.EventID, earlier.Seq}, []any{accepted[i].ContactID, accepted[i].EventID, accepted[i].Seq})
					continue
				}
				c, ok := contacts[e.UserID]
				if !ok {
					c = &modelContact{id: accepted[i].ContactID, traits: map[string]any{}}
					contacts[e.UserID] = c
				}
				c.seq++
				for name, value := range e.Traits {
					if value == nil {
						delete(c.traits, name)
					} else {
						c.traits[name] = value
					}
				}
				require.False(r, accepted[i].Duplicate)
				require.Equal(r, []any{c.id, c.seq}, []any{accepted[i].ContactID, accepted[i].Seq})
				messages[e.MessageID] = accepted[i]
			}
		}
		ids := map[string]bool{}
		for user, c := range contacts {
			found, err := s.FindContact(t.Context(), c.id)
			require.NoError(r, err)
			require.Equal(r, user, found.UserID)
			require.Equal(r, c.traits, found.Traits)
			ids[c.id] = true
		}
		require.Len(r, ids, len(contacts), "two users are two contacts")
	})
}

// TestIngestConcurrentModel lets random batches race. Whatever the order: each message once, numbers without gaps, one contact a user.
func TestIngestConcurrentModel(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	rapid.Check(t, func(r *rapid.T) {
		run := uuid.NewString()
		sides := make([][]audience.Incoming, rapid.IntRange(2, 8).Draw(r, "sides"))
		want := map[string]bool{}
		for i := range sides {
			for range rapid.IntRange(1, 15).Draw(r, "events") {
				user := fmt.Sprint(run, rapid.IntRange(0, 2).Draw(r, "user"))
				message := fmt.Sprint(user, "-", rapid.IntRange(0, 9).Draw(r, "message"))
				e := track(user, "A", message)
				if rapid.Bool().Draw(r, "with device") {
					e.AnonymousID = fmt.Sprint(user, rapid.IntRange(0, 2).Draw(r, "device"))
				}
				sides[i] = append(sides[i], e)
				want[message] = true
			}
		}
		fresh := make([]int, len(sides))
		users := make([]map[string]string, len(sides))
		group, ctx := errgroup.WithContext(t.Context())
		for i, batch := range sides {
			group.Go(func() error {
				accepted, err := s.Ingest(ctx, start, batch)
				users[i] = map[string]string{}
				for n, a := range accepted {
					users[i][batch[n].UserID] = a.ContactID
					if !a.Duplicate {
						fresh[i]++
					}
				}
				return err
			})
		}
		require.NoError(r, group.Wait())
		total, contactOf := 0, map[string]string{}
		for i := range sides {
			total += fresh[i]
			for user, id := range users[i] {
				if known, ok := contactOf[user]; ok {
					require.Equal(r, known, id, "a user is one contact")
				}
				contactOf[user] = id
			}
		}
		require.Equal(r, len(want), total)
		for _, id := range contactOf {
			var last, count, distinct int64
			require.NoError(r, conn.QueryRow(t.Context(), `SELECT c.last_seq, count(*), count(DISTINCT e.seq) FILTER (WHERE e.seq <= c.last_seq)
				FROM contacts c JOIN events e ON e.contact_id = c.id WHERE c.id = $1 GROUP BY c.id`, id).Scan(&last, &count, &distinct))
			require.Equal(r, []int64{count, count}, []int64{last, distinct})
		}
	})
}

package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store"
)

const orderModel = `
fit: {rules: [{id: pro, when: contact.plan == "pro", points: 10}, {id: big, when: company.size == "big", points: 7}]}
engagement:
  groups:
    - {key: product, cap: 30, half_life: 7d, rules: [{id: used, event: Used, points: 5}, {id: much, event: Used, when: event.n > 5, points: 7}]}
    - {key: site, cap: 3, rules: [{id: seen, event: Seen, points: 1}]}
`

var orderSegments = map[string]string{
	"pro": `contact.plan == "pro"`, "used": `did("Used", "20d")`, "often": `count("Used") >= 2 && !did("Seen")`, "big": `company.size == "big"`, "nameless": `!has(contact.name)`,
}

// history draws what a few people did, in the order in which it was so. Each message has a moment of its own.
func history(r *rapid.T, run string) []audience.Incoming {
	messages := make([]audience.Incoming, rapid.IntRange(2, 14).Draw(r, "messages"))
	for i := range messages {
		who := rapid.SampledFrom([]string{"a", "b"}).Draw(r, "who")
		user, device := run+who, fmt.Sprint(run, who, "-device-", rapid.IntRange(0, 1).Draw(r, "device"))
		m := audience.Incoming{
			Source: "test", MessageID: fmt.Sprint(run, "m", i), UserID: user, AnonymousID: device, Properties: map[string]any{"n": float64(rapid.IntRange(0, 9).Draw(r, "n"))},
			OccurredAt: start.Add(-24*time.Hour + time.Duration(i)*time.Hour),
		}
		switch rapid.IntRange(0, 5).Draw(r, "kind") {
		case 0, 1:
			m.Type = audience.TypeIdentify
			m.Traits = rapid.MapOfN(rapid.SampledFrom([]string{"plan", "name", "seats"}), rapid.SampledFrom([]any{nil, "pro", "free", 3.0}), 0, 3).Draw(r, "traits")
			if rapid.Bool().Draw(r, "with address") {
				m.Traits["email"] = user + rapid.SampledFrom([]string{"@example.test", "@example.org"}).Draw(r, "domain")
				m.Traits["timezone"] = rapid.SampledFrom([]any{nil, "Europe/Berlin", "Asia/Tokyo"}).Draw(r, "timezone")
			}
			anonymously(r, &m)
		case 2:
			m.Type, m.GroupID = audience.TypeGroup, run+rapid.SampledFrom([]string{"x", "y"}).Draw(r, "company")
			m.GroupTraits = rapid.MapOfN(rapid.SampledFrom([]string{"size", "city"}), rapid.SampledFrom([]any{nil, "big", "small"}), 0, 2).Draw(r, "company traits")
			anonymously(r, &m)
		case 3:
			m.Type, m.PreviousID, m.AnonymousID = audience.TypeAlias, user+"-before", ""
		default:
			m.Type, m.Name = audience.TypeTrack, rapid.SampledFrom([]string{"Used", "Seen", "Other"}).Draw(r, "name")
			switch rapid.IntRange(0, 3).Draw(r, "as") {
			case 0:
				m.UserID = "" // before it was known who it is, or after the log-out
			case 1:
				m.UserID, m.AnonymousID = user+"-before", ""
			}
		}
		messages[i] = m
	}
	// In the end everybody has said who it is, on both devices; else a device that nobody has claimed is nobody's.
	for i, who := range []string{"a", "b"} {
		for device := range 2 {
			messages = append(messages, audience.Incoming{
				Source: "test", MessageID: fmt.Sprint(run, "last", who, device), Type: audience.TypeIdentify, UserID: run + who,
				AnonymousID: fmt.Sprint(run, who, "-device-", device), Traits: map[string]any{}, OccurredAt: start.Add(time.Duration(i*2+device-10) * time.Second),
			})
		}
		messages = append(messages, audience.Incoming{
			Source: "test", MessageID: fmt.Sprint(run, "alias", who), Type: audience.TypeAlias, UserID: run + who, PreviousID: run + who + "-before",
			OccurredAt: start.Add(time.Duration(i-5) * time.Second),
		})
	}
	return messages
}

// anonymously leaves out who it is: it is known by the device alone, until that says who it is.
func anonymously(r *rapid.T, m *audience.Incoming) {
	if rapid.Bool().Draw(r, "anonymously") {
		m.UserID = ""
	}
}

// picture is what is known of everybody, without the ids that each run makes anew.
func picture(t require.TestingT, conn *pgx.Conn, s *store.Store, run string) string {
	ctx := context.Background()
	require.NoError(t, s.Refresh(ctx, start, contactsOf(t, conn)))
	var all []string
	for _, query := range []string{
		`SELECT jsonb_build_object('user', c.user_id, 'email', c.email, 'timezone', c.timezone, 'traits', c.traits, 'company', g.group_id, 'score', c.score, 'state', c.score_state - 'engagement',
			'earned', (SELECT jsonb_object_agg(g.key, jsonb_build_array(round((g.value ->> 'value')::numeric, 6), g.value ->> 'at')) FROM jsonb_each(c.score_state -> 'engagement') g),
			'segments', c.segments, 'identities', (SELECT jsonb_agg(i.kind || ':' || i.value ORDER BY i.kind, i.value) FROM identities i WHERE i.contact_id = c.id),
			'events', (SELECT jsonb_agg(jsonb_build_array(e.message_id, e.name, e.occurred_at, e.properties) ORDER BY e.message_id) FROM events e WHERE e.contact_id = c.id AND e.type <> 'system'),
			'gaps', c.last_seq - (SELECT count(*) FROM events e WHERE e.contact_id = c.id))
			FROM contacts c LEFT JOIN companies g ON g.id = c.company_id ORDER BY c.user_id`,
		`SELECT jsonb_build_object('company', group_id, 'traits', traits) FROM companies ORDER BY group_id`,
		`SELECT jsonb_build_array(m.segment, c.user_id) FROM segment_members m JOIN contacts c ON c.id = m.contact_id ORDER BY m.segment, c.user_id`,
	} {
		rows, err := conn.Query(ctx, query)
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
		require.NoError(t, err)
		for _, line := range lines {
			all = append(all, strings.ReplaceAll(string(line), run, ""))
		}
	}
	return strings.Join(all, "\n")
}

func contactsOf(t require.TestingT, conn *pgx.Conn) []uuid.UUID {
	rows, err := conn.Query(context.Background(), "SELECT id FROM contacts")
	require.NoError(t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	require.NoError(t, err)
	return ids
}

func clearOut(t require.TestingT, conn *pgx.Conn) {
	_, err := conn.Exec(context.Background(), "TRUNCATE contacts, identities, events, companies, segment_members, merges, decisions CASCADE")
	require.NoError(t, err)
}

// TestAnyOrderComesToTheSame takes a history in once, in order; and once more with every message three times, shuffled, in batches of any size,
// by several senders at the same time. The same contacts come out: who they are, traits, companies, scores, segments, and events, from which
// journeys are entered.
func TestAnyOrderComesToTheSame(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	publishModel(t, s, orderModel, start)
	for key, condition := range orderSegments {
		_, err := s.SaveSegment(t.Context(), key, key, condition, nil, start)
		require.NoError(t, err)
	}
	walk(t, s, start, 100)
	merges := 0
	rapid.Check(t, func(r *rapid.T) {
		run := uuid.NewString()[:8] + "-"
		messages := history(r, run)
		clearOut(r, conn)
		for i := range messages {
			_, err := s.Ingest(context.Background(), start, messages[i:i+1])
			require.NoError(r, err)
		}
		want := picture(r, conn, s, run)
		clearOut(r, conn)

		shuffled := slices.Concat(messages, messages, messages)
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "shuffle"), 1)) //nolint:gosec // a test
		dice.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		var group errgroup.Group
		for part := range slices.Chunk(shuffled, 1+len(shuffled)/rapid.IntRange(1, 4).Draw(r, "senders")) {
			size := rapid.IntRange(1, 10).Draw(r, "batch")
			group.Go(func() error {
				for batch := range slices.Chunk(part, size) {
					if _, err := s.Ingest(context.Background(), start, batch); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(r, group.Wait())
		var merged int
		require.NoError(r, conn.QueryRow(context.Background(), "SELECT count(*) FROM merges").Scan(&merged))
		merges += merged
		require.Equal(r, want, picture(r, conn, s, run))
	})
	require.Positive(t, merges, "no contacts were merged: too little was tried")
}

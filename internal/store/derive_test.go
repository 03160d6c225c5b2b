package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/store"
)

// segment makes a segment live and full, without its API.
func segment(t testing.TB, conn *pgx.Conn, key, condition string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `INSERT INTO segments (key, name, condition, revision, filled_at, created_at, updated_at)
		VALUES ($1, $1, $2, 1, $3, $3, $3)`, key, condition, start)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "UPDATE rules SET revision = revision + 1")
	require.NoError(t, err)
}

func segmentsOf(t testing.TB, conn *pgx.Conn, contactID string) (row, members []string) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT segments FROM contacts WHERE id = $1", contactID).Scan(&row))
	require.NoError(t, conn.QueryRow(t.Context(),
		"SELECT coalesce(array_agg(segment ORDER BY segment), '{}') FROM segment_members WHERE contact_id = $1", contactID).Scan(&members))
	return row, members
}

func names(t testing.TB, conn *pgx.Conn, contactID string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT name FROM events WHERE contact_id = $1 AND type = 'system' ORDER BY seq", contactID)
	require.NoError(t, err)
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return out
}

func TestEventsAndTraitsMoveContactsBetweenSegments(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	segment(t, conn, "buyers", `count("Bought") >= 2`)
	segment(t, conn, "german", `contact.country == "DE"`)
	segment(t, conn, "quiet", `!did("Bought")`)
	segment(t, conn, "met", `did("Segment Entered: buyers")`)

	id := ingest(t, s, start, identify("ana", "1", map[string]any{"country": "DE"}))[0].ContactID
	expect := func(want ...string) {
		t.Helper()
		row, members := segmentsOf(t, conn, id)
		require.Equal(t, want, row)
		require.Equal(t, want, members)
	}
	expect("german", "quiet")
	ingest(t, s, start, track("ana", "Bought", "2"))
	expect("german")
	ingest(t, s, start, track("ana", "Bought", "3"))
	expect("buyers", "german", "met")
	ingest(t, s, start, identify("ana", "4", map[string]any{"country": nil}))
	expect("buyers", "met")
	ingest(t, s, start, track("ana", "Bought", "3")) // a duplicate
	expect("buyers", "met")
	require.Equal(t, []string{
		"Segment Entered: german", "Segment Entered: quiet", "Segment Left: quiet", "Segment Entered: buyers", "Segment Entered: met", "Segment Left: german",
	}, names(t, conn, id))

	// In one batch, in the end as in many.
	other := ingest(t, s, start, identify("bob", "5", map[string]any{"country": "DE"}), track("bob", "Bought", "6"), track("bob", "Bought", "7"))[0].ContactID
	row, _ := segmentsOf(t, conn, other)
	require.Equal(t, []string{"buyers", "german", "met"}, row)
}

func TestEnteringASegmentWakesTheJourney(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	segment(t, conn, "buyers", `did("Bought")`)
	publish(t, s, "thanks", "Segment Entered: buyers")
	require.False(t, ingest(t, s, start, track("ana", "Looked", "1"))[0].Poke)
	require.True(t, ingest(t, s, start, track("ana", "Bought", "2"))[0].Poke, "what was noted is a trigger")
}

func TestAJourneysChangesMoveContactsToo(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	woken := []string{}
	s.OnWake(func(id string) { woken = append(woken, id) })
	segment(t, conn, "vip", `contact.vip == true`)
	segment(t, conn, "hot", `score >= 10`)
	segment(t, conn, "sales", `stage == "sql"`)
	publish(t, s, "welcome", "Segment Entered: vip")
	id := newContact(t, s)
	inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.UpdateContact(ctx, map[string]any{"vip": true}, nil, start))
		_, _, err := tx.AddScore(ctx, 12, "because", "", "", 0, start)
		require.NoError(t, err)
		require.NoError(t, tx.SetStage(ctx, "sql", "accepted", start))
		in, err := tx.Facts(ctx, nil, start).InSegment("vip")
		require.NoError(t, err)
		require.True(t, in)
		require.Equal(t, 12, tx.Facts(ctx, nil, start).Score().Total)
	})
	row, members := segmentsOf(t, conn, id)
	require.Equal(t, []string{"hot", "sales", "vip"}, row)
	require.Equal(t, row, members)
	require.Equal(t, []string{"Segment Entered: vip", "Segment Entered: hot", "Stage Entered: sql", "Segment Entered: sales"}, names(t, conn, id))
	require.Equal(t, []string{id}, woken, "after the commit, once")
	contact, err := s.FindContact(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []any{12, "sql"}, []any{contact.Score, contact.Stage})
}

func TestTimeMovesContacts(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	segment(t, conn, "active", `did("Seen", "14d")`)
	id := ingest(t, s, start, track("ana", "Seen", "1"))[0].ContactID
	row, _ := segmentsOf(t, conn, id)
	require.Equal(t, []string{"active"}, row)
	due := func() time.Time {
		var at *time.Time
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT recheck_at FROM contacts WHERE id = $1", id).Scan(&at))
		require.NotNil(t, at)
		return at.UTC()
	}
	require.Equal(t, start.Add(14*24*time.Hour), due())
	later := start.Add(24 * time.Hour)
	again := track("ana", "Seen", "2")
	again.OccurredAt = later
	ingest(t, s, later, again)
	require.Equal(t, start.Add(14*24*time.Hour), due(), "an event never pushes what is due: a busy contact costs nothing")

	refresh := func(at time.Time) {
		require.NoError(t, s.Refresh(t.Context(), at, []uuid.UUID{uuid.MustParse(id), uuid.New()}))
	}
	refresh(due())
	row, _ = segmentsOf(t, conn, id)
	require.Equal(t, []string{"active"}, row)
	require.Equal(t, later.Add(14*24*time.Hour), due())
	refresh(due())
	row, members := segmentsOf(t, conn, id)
	require.Empty(t, row)
	require.Empty(t, members)
	require.Equal(t, []string{"Segment Entered: active", "Segment Left: active"}, names(t, conn, id))
}

func TestFillingASegmentIsSilent(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	id := newContact(t, s)
	segment(t, conn, "signed-up", `did("Signed Up")`)
	_, err := conn.Exec(t.Context(), "UPDATE segments SET filled_at = NULL")
	require.NoError(t, err)
	require.NoError(t, s.Refresh(t.Context(), start, []uuid.UUID{uuid.MustParse(id)}))
	row, _ := segmentsOf(t, conn, id)
	require.Equal(t, []string{"signed-up"}, row)
	require.Empty(t, names(t, conn, id))
}

func TestGroupCallsMakeCompanies(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	segment(t, conn, "big", `company.employees > 100`)
	group := func(user, message string, traits map[string]any) audience.Incoming {
		return audience.Incoming{
			Source: "test", MessageID: message, Type: audience.TypeGroup, UserID: user, GroupID: "acme", GroupTraits: traits, OccurredAt: start,
		}
	}
	ana := ingest(t, s, start, group("ana", "1", map[string]any{"employees": 500.0, "name": "Acme"}))[0].ContactID
	bob := ingest(t, s, start, group("bob", "2", nil))[0].ContactID
	for _, id := range []string{ana, bob} {
		row, _ := segmentsOf(t, conn, id)
		require.Equal(t, []string{"big"}, row)
		inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
			require.Equal(t, "Acme", tx.Facts(ctx, nil, start).Company()["name"])
		})
	}
	ingest(t, s, start, group("ana", "3", map[string]any{"employees": 5.0, "name": nil}))
	row, _ := segmentsOf(t, conn, ana)
	require.Empty(t, row)
	var traits map[string]any
	var changed bool
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT traits, changed_at IS NOT NULL FROM companies").Scan(&traits, &changed))
	require.Equal(t, map[string]any{"employees": 5.0}, traits)
	require.True(t, changed, "the other members are told by the clock")
	refused, err := s.Ingest(t.Context(), start, []audience.Incoming{{Source: "test", MessageID: "4", Type: audience.TypeGroup, UserID: "ana"}})
	requireFault(t, err, "invalid", "bad_events")
	require.Empty(t, refused)
}

// What was told about a contact is in the journal, also by whom it was told: traits at any moment are a fold over it.
func TestTheJournalKeepsTraits(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	first := identify("ana", "1", map[string]any{"plan": "trial", "seats": 3.0})
	first.Context = map[string]any{"campaign": map[string]any{"source": "news"}}
	id := ingest(t, s, start, first)[0].ContactID
	inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.UpdateContact(ctx, map[string]any{"plan": nil}, map[string]float64{"seats": 2}, start))
		_, err := tx.Event(ctx, 2)
		require.NoError(t, err)
		require.EqualValues(t, 2, tx.LastSeq())
	})
	var told []string
	rows, err := conn.Query(t.Context(), "SELECT properties || coalesce(context, '{}') FROM events WHERE contact_id = $1 ORDER BY seq", id)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[map[string]any])
	require.NoError(t, err)
	for _, properties := range all {
		told = append(told, fmt.Sprint(properties))
	}
	require.Equal(t, []string{"map[campaign:map[source:news] plan:trial seats:3]", "map[plan:<nil> seats:5]"}, told)
}

func TestNothingHappensInTheFuture(t *testing.T) {
	t.Parallel()
	s := storeOf(t)
	e := track("ana", "A", "1")
	e.OccurredAt = start.Add(time.Hour)
	id := ingest(t, s, start, e)[0].ContactID
	inContact(t, s, id, func(ctx context.Context, tx *store.ContactTx) {
		event, err := tx.Event(ctx, 1)
		require.NoError(t, err)
		require.Equal(t, start, event.OccurredAt)
	})
	reserved := track("ana", "Segment Entered: vip", "2")
	_, err := s.Ingest(t.Context(), start, []audience.Incoming{reserved})
	requireFault(t, err, "invalid", "bad_events")
}

func storeOf(t testing.TB) *store.Store {
	t.Helper()
	s, _ := open(t)
	return s
}

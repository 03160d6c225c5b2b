package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/audience"
	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
)

// saysAnywhere lists the tables that hold a text in any column, in any row.
func saysAnywhere(t testing.TB, conn *pgx.Conn, text string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Greater(t, len(tables), 15)
	var holding []string
	for _, table := range tables {
		var there bool
		name := pgx.Identifier{table}.Sanitize()
		// The raw bytes of a message are a column, too: encode shows them as text.
		query := fmt.Sprintf(`SELECT EXISTS (SELECT 1 FROM %s r WHERE strpos(lower(r::text), $1) > 0 OR strpos(lower(r::text), $2) > 0)`, name)
		hex := fmt.Sprintf("%x", text)
		require.NoError(t, conn.QueryRow(t.Context(), query, strings.ToLower(text), hex).Scan(&there))
		if there {
			holding = append(holding, table)
		}
	}
	return holding
}

// known makes a contact with a row of every kind, and somebody else who stays.
func toErase(t testing.TB, s *store.Store, conn *pgx.Conn) (contact, other string) {
	t.Helper()
	publish(t, s, "trial", "Nothing")
	contact = ingest(t, s, start, identify("zed", "z1", map[string]any{"email": "Zed@example.test", "first_name": "Zebediah"}))[0].ContactID
	ingest(t, s, start, identify("zed", "z2", map[string]any{"email": "zed.new@example.test"}), track("zed", "Signed Up", "z3"))
	guest := ingest(t, s, start, anonymous("zg", "Page", "zg1"))[0].ContactID
	merge(t, s, contact, guest)
	fill(t, s, conn, enrollAt(t, s, contact, "trial", "", start))
	require.NoError(t, s.Suppress(t.Context(), "zed@example.test", "bounce", start))
	other = ingest(t, s, start, identify("ana", "a1", map[string]any{"email": "other@example.test"}))[0].ContactID
	return contact, other
}

func suppressed(t testing.TB, s *store.Store, contactID, address string) string {
	t.Helper()
	var reason string
	inContact(t, s, contactID, func(ctx context.Context, tx *store.ContactTx) {
		var err error
		reason, _, err = tx.Suppressed(ctx, address)
		require.NoError(t, err)
	})
	return reason
}

func TestEraseLeavesNothing(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	contact, other := toErase(t, s, conn)
	for _, text := range []string{"zed@example.test", "zed.new@example.test", "zebediah", contact} {
		require.NotEmpty(t, saysAnywhere(t, conn, text), "the search finds %q before", text)
	}
	e, err := s.RequestErasure(t.Context(), start.Add(time.Hour), contact)
	require.NoError(t, err)
	require.Equal(t, []any{audience.ErasureRequested, 3}, []any{e.State, e.Addresses}, "zed, zed.new, and the address of the message")
	require.Equal(t, "erased", suppressed(t, s, contact, "ZED@example.test"), "nothing is sent from the request on")
	require.Equal(t, "erased", suppressed(t, s, contact, "zed.new@example.test"))
	require.Empty(t, suppressed(t, s, contact, "other@example.test"))
	require.Error(t, s.FinishErasure(t.Context(), start, e.ID), "not while the rows are there")

	ingest(t, s, start, identify("zed", "z4", map[string]any{"email": "zed.late@example.test"}))
	for range 2 { // what a worker does that died after the commit
		e, err = s.EraseRows(t.Context(), start.Add(2*time.Hour), e.ID)
		require.NoError(t, err)
		require.Equal(t, []any{audience.ErasureDeleted, 4}, []any{e.State, e.Addresses})
	}
	require.Equal(t, []int64{5, 1, 1, 1, 1, 1, 1, 1}, []int64{
		e.Counts["events"], e.Counts["messages"], e.Counts["handoffs"], e.Counts["enrollments"], e.Counts["consents"], e.Counts["objects"],
		e.Counts["merges"], e.Counts["contacts"],
	})
	require.Len(t, e.Workflows, 3, "the journeys of both contacts, and the handoff")
	require.Equal(t, []string{"erasures.contact_id"}, namedBy(t, conn, contact))
	for _, text := range []string{"zed@example.test", "zed.new@example.test", "zed.late@example.test", "zebediah"} {
		require.Empty(t, saysAnywhere(t, conn, text), text)
	}
	added, err := s.SuppressAll(t.Context(), []string{"zed@example.test"}, audience.SuppressImported, "key", start)
	require.NoError(t, err)
	require.Zero(t, added, "it is suppressed already, and not written down again")
	require.Empty(t, saysAnywhere(t, conn, "zed@example.test"))
	for range 2 {
		require.NoError(t, s.FinishErasure(t.Context(), start.Add(3*time.Hour), e.ID))
	}
	require.Equal(t, []string{"erasures"}, saysAnywhere(t, conn, contact))
	proof, err := s.FindErasure(t.Context(), e.ID)
	require.NoError(t, err)
	require.Equal(t, []any{audience.ErasureDone, 0, e.Counts}, []any{proof.State, len(proof.Workflows), proof.Counts})
	open, err := s.OpenErasures(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, open)
	again, err := s.RequestErasure(t.Context(), start, contact)
	require.NoError(t, err)
	require.Equal(t, proof, again)

	_, err = s.FindContact(t.Context(), other)
	require.NoError(t, err, "nobody else is touched")
	reborn := ingest(t, s, start, identify("zed", "z9", map[string]any{"email": "zed@example.test"}))[0].ContactID
	require.NotEqual(t, contact, reborn)
	require.Equal(t, "erased", suppressed(t, s, reborn, "zed@example.test"), "the address stays suppressed")
}

// A contact that is merged between the request and the deletion is erased all the same, and so is the other half of it.
func TestEraseFollowsAMerge(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	contact, other := toErase(t, s, conn)
	e, err := s.RequestErasure(t.Context(), start, contact)
	require.NoError(t, err)
	merge(t, s, other, contact)
	e, err = s.EraseRows(t.Context(), start, e.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, e.Counts["contacts"])
	require.Empty(t, saysAnywhere(t, conn, "zebediah"))
	require.Contains(t, e.Workflows, "journey/"+other)
}

func TestEraseNobody(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	_, err := s.RequestErasure(t.Context(), start, uuid.NewString())
	requireFault(t, err, fault.NotFound, "contact_not_found")
	_, err = s.RequestErasure(t.Context(), start, "nobody")
	requireFault(t, err, fault.NotFound, "contact_not_found")
	_, err = s.FindErasure(t.Context(), uuid.NewString())
	requireFault(t, err, fault.NotFound, "erasure_not_found")
}

package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/email"
	"throughline.dev/throughline/internal/store"
)

func TestReputations(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	e := enrolled(t, s)
	inContact(t, s, e.ContactID, func(ctx context.Context, tx *store.ContactTx) {
		require.NoError(t, tx.InsertMessage(ctx, queued(e, 1, email.Marketing)))
	})
	// Six hundred that were sent today, and one yesterday.
	rows, err := conn.Query(t.Context(), `INSERT INTO messages (id, contact_id, enrollment_id, journey, version, step_id, visit, template, template_version, class, state,
		to_address, subject, html, text, raw, message_id, created_at, updated_at, sent_at)
		SELECT gen_random_uuid(), contact_id, enrollment_id, journey, version, step_id, 1 + n, template, template_version, class, 'sent', to_address, subject, html, text, raw, n::text,
		created_at, updated_at, $1::timestamptz - CASE WHEN n = 601 THEN interval '25 hours' ELSE interval '0' END FROM messages, generate_series(1, 601) n RETURNING id::text`, start)
	require.NoError(t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	since := start.Add(-24 * time.Hour)
	found, err := s.Reputations(t.Context(), since)
	require.NoError(t, err)
	require.Empty(t, found, "nothing bad was reported")

	take(t, s, start, report(email.Message{ID: ids[0]}, "a", email.Complained, ""), report(email.Message{ID: ids[1]}, "b", email.Complained, ""), report(email.Message{ID: ids[2]}, "c", email.Bounced, email.Hard))
	found, err = s.Reputations(t.Context(), since)
	require.NoError(t, err)
	require.Equal(t, []email.Reputation{{Journey: "trial", Mails: 600, Complaints: 2, HardBounces: 1}}, found)

	_, err = s.PauseJourney(t.Context(), "trial", "the guard", start)
	require.NoError(t, err)
	found, err = s.Reputations(t.Context(), since)
	require.NoError(t, err)
	require.Empty(t, found, "it is paused")
	_, err = s.ResumeJourney(t.Context(), "trial", "somebody", start.Add(time.Minute))
	require.NoError(t, err)
	found, err = s.Reputations(t.Context(), since)
	require.NoError(t, err)
	require.Empty(t, found, "who has resumed it knows what was before")
	paused, err := s.FindDraft(t.Context(), "trial")
	require.NoError(t, err)
	require.Empty(t, paused.PausedBy)
}

func TestADraftSaysWhoPausedIt(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	publish(t, s, "trial", "Signed Up")
	_, err := s.PauseJourney(t.Context(), "trial", "the guard", start)
	require.NoError(t, err)
	draft, err := s.FindDraft(t.Context(), "trial")
	require.NoError(t, err)
	require.Equal(t, "the guard", draft.PausedBy)
}

package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	key, err := s.UpsertKey(ctx, "marketing", "tl_secret", []string{"journeys", "read"}, start)
	require.NoError(t, err)
	require.NoError(t, s.SaveSession(ctx, "token", key.ID, start, start.Add(time.Hour)))
	found, err := s.FindSession(ctx, "token", start.Add(59*time.Minute))
	require.NoError(t, err)
	require.Equal(t, store.APIKey{ID: key.ID, Name: "marketing", Scopes: []string{"journeys", "read"}}, found)
	var kept int
	require.NoError(t, conn.QueryRow(ctx, "SELECT count(*) FROM sessions WHERE hash = 'token'::bytea").Scan(&kept))
	require.Zero(t, kept, "the token itself is not kept")

	over := func(token string, at time.Time) {
		t.Helper()
		_, err := s.FindSession(ctx, token, at)
		requireFault(t, err, fault.Unauthorized, "session_over")
	}
	over("another", start)
	over("token", start.Add(time.Hour))
	require.NoError(t, s.DeleteSession(ctx, "token"))
	over("token", start)

	require.NoError(t, s.SaveSession(ctx, "second", key.ID, start, start.Add(time.Hour)))
	revoked, err := s.RevokeKey(ctx, key.ID, start)
	require.NoError(t, err)
	require.True(t, revoked)
	over("second", start)
	_, err = s.UpsertKey(ctx, "marketing", "tl_secret", nil, start)
	require.NoError(t, err)
	over("second", start) // a key that is valid again brings no old login back
	requireFault(t, s.SaveSession(ctx, "third", "no id", start, start.Add(time.Hour)), fault.Unauthorized, "unknown_key")
	_, err = s.UpsertKey(ctx, "marketing", "tl_other", nil, start)
	require.NoError(t, err)
	require.NoError(t, s.SaveSession(ctx, "fourth", key.ID, start.Add(2*time.Hour), start.Add(3*time.Hour)))
	require.NoError(t, conn.QueryRow(ctx, "SELECT count(*) FROM sessions").Scan(&kept))
	require.Equal(t, 1, kept, "what has run out is forgotten")
}

func TestSessionsOfPeople(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	maria := store.APIKey{ID: "person-1", Name: "Maria", Scopes: []string{"journeys", "read"}}
	require.NoError(t, s.SavePersonSession(ctx, "token", maria, start, start.Add(time.Hour)))
	found, err := s.FindSession(ctx, "token", start.Add(59*time.Minute))
	require.NoError(t, err)
	require.Equal(t, maria, found)
	_, err = s.FindSession(ctx, "token", start.Add(time.Hour))
	requireFault(t, err, fault.Unauthorized, "session_over")
	require.NoError(t, s.DeleteSession(ctx, "token"))
	_, err = s.FindSession(ctx, "token", start)
	requireFault(t, err, fault.Unauthorized, "session_over")
	_, err = conn.Exec(ctx, "INSERT INTO sessions (hash, created_at, expires_at) VALUES (sha256('x'), now(), now())")
	require.ErrorContains(t, err, "sessions_of_a_key_or_a_person", "a session of nobody")
	require.NoError(t, s.TouchKey(ctx, maria.ID, start), "a person has no key to note anything about")
}

// Down logs people out and leaves those with keys where they are.
func TestMigrateDownFromSessionsOfPeople(t *testing.T) {
	t.Parallel()
	s, conn := open(t)
	ctx := t.Context()
	key, err := s.UpsertKey(ctx, "marketing", "tl_secret", []string{"read"}, start)
	require.NoError(t, err)
	require.NoError(t, s.SaveSession(ctx, "of a key", key.ID, start, start.Add(time.Hour)))
	require.NoError(t, s.SavePersonSession(ctx, "of a person", store.APIKey{ID: "p", Name: "Maria", Scopes: []string{"read"}}, start, start.Add(time.Hour)))
	require.NoError(t, s.MigrateDown(ctx, 18))
	var left int
	require.NoError(t, conn.QueryRow(ctx, "SELECT count(*) FROM sessions WHERE key_id IS NOT NULL").Scan(&left))
	require.Equal(t, 1, left)
	require.NoError(t, s.Migrate(ctx))
	_, err = s.FindSession(ctx, "of a key", start)
	require.NoError(t, err)
}

package store

import (
	"context"
	"time"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// SaveSession logs a browser in as a key, until a moment. The token itself is not kept, only its hash. What has run out is forgotten.
func (s *Store) SaveSession(ctx context.Context, token, keyID string, now, until time.Time) error {
	id, err := parseID(keyID)
	if err != nil {
		return fault.New(fault.Unauthorized, "unknown_key", "This API key is not known.")
	}
	if err := s.q.DeleteExpiredSessions(ctx, now); err != nil {
		return failure("forget expired sessions", err)
	}
	return failure("save session", s.q.InsertSession(ctx, dbsqlc.InsertSessionParams{Hash: hashKey(token), KeyID: &id, Now: now, ExpiresAt: until}))
}

// SavePersonSession logs a browser in as a person without a key, with what it may do until a moment.
func (s *Store) SavePersonSession(ctx context.Context, token string, who APIKey, now, until time.Time) error {
	if err := s.q.DeleteExpiredSessions(ctx, now); err != nil {
		return failure("forget expired sessions", err)
	}
	return failure("save session of a person", s.q.InsertPersonSession(ctx, dbsqlc.InsertPersonSessionParams{
		Hash: hashKey(token), Subject: &who.ID, Name: &who.Name, Scopes: who.Scopes, Now: now, ExpiresAt: until,
	}))
}

// FindSession finds the key or the person that a browser is logged in as. An unknown session, one that has run out, or one of a revoked key is Unauthorized.
func (s *Store) FindSession(ctx context.Context, token string, now time.Time) (APIKey, error) {
	row, err := s.q.FindSession(ctx, hashKey(token), now)
	if isNoRows(err) {
		return APIKey{}, fault.New(fault.Unauthorized, "session_over", "The session is over.")
	}
	if err != nil {
		return APIKey{}, failure("find session", err)
	}
	return APIKey{ID: row.ID, Name: row.Name, Scopes: row.Scopes}, nil
}

// DeleteSession logs a browser out.
func (s *Store) DeleteSession(ctx context.Context, token string) error {
	return failure("delete session", s.q.DeleteSession(ctx, hashKey(token)))
}

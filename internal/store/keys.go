package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// APIKey is a key that may call the API. The key itself is not kept, only its hash.
type APIKey struct {
	ID     string
	Name   string
	Scopes []string
}

// UpsertKey makes a key valid with a name and scopes, also one that was revoked. Keys are long and random: a plain hash keeps them.
// Another key of the same name stays valid; revoke it.
func (s *Store) UpsertKey(ctx context.Context, name, key string, scopes []string, now time.Time) (APIKey, error) {
	if key == "" {
		return APIKey{}, fault.New(fault.Invalid, "bad_key", "An API key can't be empty.")
	}
	if scopes == nil {
		scopes = []string{}
	}
	row, err := s.q.UpsertKey(ctx, dbsqlc.UpsertKeyParams{ID: newID(), Name: name, Hash: hashKey(key), Scopes: scopes, Now: now})
	if err != nil {
		return APIKey{}, failure("save API key", err)
	}
	return keyOf(row), nil
}

// FindKey finds a valid key. An unknown or revoked one is Unauthorized.
func (s *Store) FindKey(ctx context.Context, key string) (APIKey, error) {
	row, err := s.q.FindKey(ctx, hashKey(key))
	if isNoRows(err) {
		return APIKey{}, fault.New(fault.Unauthorized, "unknown_key", "This API key is not known.")
	}
	if err != nil {
		return APIKey{}, failure("find API key", err)
	}
	return keyOf(row), nil
}

// TouchKey notes that a key was used.
func (s *Store) TouchKey(ctx context.Context, id string, now time.Time) error {
	parsed, err := parseID(id)
	if err != nil {
		return nil //nolint:nilerr // no key to note anything about
	}
	return failure("touch API key", s.q.TouchKey(ctx, now, parsed))
}

// RevokeKey makes a key invalid; it tells whether it was valid.
func (s *Store) RevokeKey(ctx context.Context, id string, now time.Time) (bool, error) {
	parsed, err := parseID(id)
	if err != nil {
		return false, nil //nolint:nilerr // there is no such key
	}
	n, err := s.q.RevokeKey(ctx, now, parsed)
	return n == 1, failure("revoke API key", err)
}

func hashKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

func keyOf(row dbsqlc.ApiKey) APIKey {
	return APIKey{ID: row.ID.String(), Name: row.Name, Scopes: row.Scopes}
}

// Secret finds a secret of this deployment, or makes it. Processes that start together agree on one.
func (s *Store) Secret(ctx context.Context, name string, generate func() []byte) ([]byte, error) {
	value, err := s.q.FindSecret(ctx, name)
	if err == nil {
		return value, nil
	}
	if !isNoRows(err) {
		return nil, failure("find secret "+name, err)
	}
	made := generate()
	if len(made) == 0 {
		return nil, fmt.Errorf("make secret %s: it is empty", name)
	}
	if err := s.q.InsertSecret(ctx, name, made); err != nil {
		return nil, failure("save secret "+name, err)
	}
	value, err = s.q.FindSecret(ctx, name) // ours, or that of a quicker process
	return value, failure("find secret "+name, err)
}

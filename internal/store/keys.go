package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"

	"throughline.dev/throughline/internal/fault"
	"throughline.dev/throughline/internal/store/dbsqlc"
)

// APIKey is a key that may call the API, or a person who is logged in without one. The key itself is not kept, only its hash.
type APIKey struct {
	ID     string
	Name   string
	Scopes []string
}

// KeyRecord is what is known of a key, valid or revoked.
type KeyRecord struct {
	ID         string
	Name       string
	Scopes     []string
	CreatedAt  time.Time
	LastUsedAt *time.Time // to about a minute
	RevokedAt  *time.Time
}

// UpsertKey makes a key valid with a name and scopes, also one that was revoked. Keys are long and random: a plain hash keeps them.
// Another key of the same name stays valid; revoke it.
func (s *Store) UpsertKey(ctx context.Context, name, key string, scopes []string, now time.Time) (APIKey, error) {
	row, err := s.saveKey(ctx, name, key, scopes, now)
	if err != nil {
		return APIKey{}, err
	}
	return keyOf(row), nil
}

// CreateKey makes a new key valid and gives its record.
func (s *Store) CreateKey(ctx context.Context, name, key string, scopes []string, now time.Time) (KeyRecord, error) {
	row, err := s.saveKey(ctx, name, key, scopes, now)
	if err != nil {
		return KeyRecord{}, err
	}
	return keyRecordOf(row)
}

func (s *Store) saveKey(ctx context.Context, name, key string, scopes []string, now time.Time) (dbsqlc.ApiKey, error) {
	if key == "" {
		return dbsqlc.ApiKey{}, fault.New(fault.Invalid, "bad_key", "An API key can't be empty.")
	}
	if scopes == nil {
		scopes = []string{}
	}
	row, err := s.q.UpsertKey(ctx, dbsqlc.UpsertKeyParams{ID: newID(), Name: name, Hash: hashKey(key), Scopes: scopes, Now: now})
	return row, failure("save API key", err)
}

// ListKeys lists all keys, the newest first, revoked ones too.
func (s *Store) ListKeys(ctx context.Context, cursor string, limit int) (Page[KeyRecord], error) {
	limit = clampLimit(limit)
	before := uuid.Max
	if cursor != "" {
		var err error
		if before, err = uuid.Parse(cursor); err != nil {
			return Page[KeyRecord]{}, badCursor()
		}
	}
	rows, err := s.q.ListKeys(ctx, before, int32(limit+1))
	if err != nil {
		return Page[KeyRecord]{}, failure("list API keys", err)
	}
	return page(rows, limit, keyRecordOf, func(row dbsqlc.ApiKey) string { return row.ID.String() })
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

// TouchKey notes that a key was used, at most once a minute.
func (s *Store) TouchKey(ctx context.Context, id string, now time.Time) error {
	parsed, err := parseID(id)
	if err != nil {
		return nil //nolint:nilerr // no key to note anything about
	}
	return failure("touch API key", s.q.TouchKey(ctx, now, parsed, now.Add(-time.Minute)))
}

// RevokeKey makes a key invalid and ends its sessions; it tells whether the key was valid. The last valid key that may do everything stays.
func (s *Store) RevokeKey(ctx context.Context, id string, now time.Time) (bool, error) {
	notFound := fault.New(fault.NotFound, "key_not_found", "There is no such key.")
	parsed, err := parseID(id)
	if err != nil {
		return false, notFound
	}
	var revoked bool
	err = s.inTx(ctx, func(q *dbsqlc.Queries) error {
		admins, err := q.LockAdminKeys(ctx)
		if err != nil {
			return err
		}
		if len(admins) == 1 && admins[0] == parsed {
			return fault.New(fault.Conflict, "last_admin_key", "This is the last valid key that may do everything: make another one first.")
		}
		n, err := q.RevokeKey(ctx, now, parsed)
		if err != nil {
			return err
		}
		if revoked = n == 1; !revoked {
			return keyExists(ctx, q, parsed, notFound)
		}
		return q.DeleteSessionsOfKey(ctx, &parsed)
	})
	return revoked, failure("revoke API key", err)
}

func keyExists(ctx context.Context, q *dbsqlc.Queries, id uuid.UUID, otherwise error) error {
	if there, err := q.KeyExists(ctx, id); err != nil || there {
		return err
	}
	return otherwise
}

func hashKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

func keyOf(row dbsqlc.ApiKey) APIKey {
	return APIKey{ID: row.ID.String(), Name: row.Name, Scopes: row.Scopes}
}

func keyRecordOf(row dbsqlc.ApiKey) (KeyRecord, error) {
	return KeyRecord{ID: row.ID.String(), Name: row.Name, Scopes: row.Scopes, CreatedAt: row.CreatedAt, LastUsedAt: row.LastUsedAt, RevokedAt: row.RevokedAt}, nil
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

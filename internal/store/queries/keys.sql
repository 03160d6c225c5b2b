-- name: UpsertKey :one
INSERT INTO api_keys (id, name, hash, scopes, created_at) VALUES (@id, @name, @hash, @scopes, @now)
ON CONFLICT (hash) DO UPDATE SET name = excluded.name, scopes = excluded.scopes, revoked_at = NULL
RETURNING *;

-- name: FindKey :one
SELECT * FROM api_keys WHERE hash = @hash AND revoked_at IS NULL;

-- Ids grow with time: the newest keys are the last.
-- name: ListKeys :many
SELECT * FROM api_keys WHERE id < @before ORDER BY id DESC LIMIT @max_rows;

-- Not when the last time is hardly over: a busy key must not become a busy row.
-- name: TouchKey :exec
UPDATE api_keys SET last_used_at = @now::timestamptz WHERE id = @id AND (last_used_at IS NULL OR last_used_at <= @before::timestamptz);

-- All valid keys that may do everything, held: of two who revoke the last two, the second sees that one is left.
-- name: LockAdminKeys :many
SELECT id FROM api_keys WHERE revoked_at IS NULL AND 'admin' = ANY(scopes) ORDER BY id FOR UPDATE;

-- name: KeyExists :one
SELECT EXISTS (SELECT FROM api_keys WHERE id = @id);

-- name: RevokeKey :execrows
UPDATE api_keys SET revoked_at = @now::timestamptz WHERE id = @id AND revoked_at IS NULL;

-- name: FindSecret :one
SELECT value FROM secrets WHERE name = @name;

-- name: InsertSecret :exec
INSERT INTO secrets (name, value) VALUES (@name, @value) ON CONFLICT (name) DO NOTHING;

-- name: InsertSession :exec
INSERT INTO sessions (hash, key_id, created_at, expires_at) VALUES (@hash, @key_id, @now, @expires_at);

-- name: InsertPersonSession :exec
INSERT INTO sessions (hash, subject, name, scopes, created_at, expires_at) VALUES (@hash, @subject, @name, @scopes, @now, @expires_at);

-- Of a key that is valid, or of a person.
-- name: FindSession :one
SELECT coalesce(k.id::text, s.subject)::text AS id, coalesce(k.name, s.name)::text AS name, coalesce(k.scopes, s.scopes)::text[] AS scopes
FROM sessions s LEFT JOIN api_keys k ON k.id = s.key_id AND k.revoked_at IS NULL
WHERE s.hash = @hash AND s.expires_at > @now::timestamptz AND (k.id IS NOT NULL OR s.key_id IS NULL);

-- name: DeleteSession :exec
DELETE FROM sessions WHERE hash = @hash;

-- name: DeleteSessionsOfKey :exec
DELETE FROM sessions WHERE key_id = @key_id;

-- name: DeleteExpiredSessions :exec
DELETE FROM sessions WHERE expires_at <= @now::timestamptz;

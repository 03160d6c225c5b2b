-- name: UpsertKey :one
INSERT INTO api_keys (id, name, hash, scopes, created_at) VALUES (@id, @name, @hash, @scopes, @now)
ON CONFLICT (hash) DO UPDATE SET name = excluded.name, scopes = excluded.scopes, revoked_at = NULL
RETURNING *;

-- name: FindKey :one
SELECT * FROM api_keys WHERE hash = @hash AND revoked_at IS NULL;

-- name: TouchKey :exec
UPDATE api_keys SET last_used_at = @now::timestamptz WHERE id = @id;

-- name: RevokeKey :execrows
UPDATE api_keys SET revoked_at = @now::timestamptz WHERE id = @id AND revoked_at IS NULL;

-- name: FindSecret :one
SELECT value FROM secrets WHERE name = @name;

-- name: InsertSecret :exec
INSERT INTO secrets (name, value) VALUES (@name, @value) ON CONFLICT (name) DO NOTHING;

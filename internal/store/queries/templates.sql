-- name: FindTemplate :one
SELECT * FROM templates WHERE key = @key ORDER BY version DESC LIMIT 1;

-- name: TemplateExists :one
SELECT EXISTS (SELECT 1 FROM templates WHERE key = @key);

-- name: ListTemplates :many
SELECT DISTINCT ON (key) * FROM templates WHERE key > @after ORDER BY key, version DESC LIMIT @max_rows;

-- name: InsertTemplate :one
INSERT INTO templates (key, version, hash, document, updated_at, uses)
SELECT @key, coalesce(max(version), 0)::integer + 1, @hash, @document, @now, @uses::text[] FROM templates WHERE key = @key
RETURNING *;

-- name: LockTemplate :exec
SELECT pg_advisory_xact_lock(@class, hashtext(@key::text));

-- name: FindDocument :one
SELECT revision, document, updated_at FROM documents WHERE name = @name;

-- name: LockDocument :exec
SELECT pg_advisory_xact_lock(@class, hashtext(@name::text));

-- name: SaveDocument :one
INSERT INTO documents (name, revision, document, updated_at) VALUES (@name, 1, @document, @now)
ON CONFLICT (name) DO UPDATE SET revision = documents.revision + 1, document = excluded.document, updated_at = excluded.updated_at
RETURNING revision, updated_at;

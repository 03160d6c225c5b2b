-- Custom objects. They are written under the lock of the contact that they belong to, if they belong to one.

-- name: FindObject :one
SELECT * FROM objects WHERE type = @type AND id = @id;

-- name: ListObjectsOfContact :many
SELECT * FROM objects
WHERE contact_id = @contact_id::uuid AND (type, id) > (@after_type::text, @after_id::text) AND (@type::text = '' OR type = @type)
ORDER BY type, id LIMIT @max_rows;

-- name: ListObjectsOfCompany :many
SELECT * FROM objects
WHERE company_id = @company_id::uuid AND (type, id) > (@after_type::text, @after_id::text) AND (@type::text = '' OR type = @type)
ORDER BY type, id LIMIT @max_rows;

-- Two writers of an object take turns, whoever it belongs to.
-- name: LockObject :exec
SELECT pg_advisory_xact_lock(@class, hashtext(@key::text));

-- name: LockContactRows :many
SELECT id FROM contacts WHERE id = ANY(@ids::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: UpsertObject :one
INSERT INTO objects (type, id, contact_id, company_id, fields, created_at, updated_at)
VALUES (@type, @id, sqlc.narg('contact_id'), sqlc.narg('company_id'), @fields, @now, @now)
ON CONFLICT (type, id) DO UPDATE SET contact_id = excluded.contact_id, company_id = excluded.company_id, fields = excluded.fields,
    updated_at = excluded.updated_at
RETURNING *;

-- name: DeleteObject :exec
DELETE FROM objects WHERE type = @type AND id = @id;

-- name: FindObjectType :one
SELECT * FROM object_types WHERE type = @type;

-- name: ListObjectTypes :many
SELECT * FROM object_types WHERE type > @after ORDER BY type LIMIT @max_rows;

-- name: SaveObjectType :one
INSERT INTO object_types (type, fields, updated_at) VALUES (@type, @fields, @now)
ON CONFLICT (type) DO UPDATE SET fields = excluded.fields, updated_at = excluded.updated_at
RETURNING *;

-- name: FindContact :one
SELECT * FROM contacts WHERE id = @id;

-- name: FindContactByIdentity :one
SELECT c.* FROM contacts c JOIN identities i ON i.contact_id = c.id WHERE i.kind = @kind AND i.value = @value;

-- The lock that orders everything about one contact. NO KEY: it excludes every other holder of this lock and every update of the row, and
-- still lets rows that refer to the contact be checked against it.
-- name: LockContact :one
SELECT * FROM contacts WHERE id = @id FOR NO KEY UPDATE;

-- name: ListStalePending :many
SELECT id FROM contacts WHERE pending_since IS NOT NULL AND pending_since <= @before::timestamptz ORDER BY pending_since, id LIMIT @max_rows;

-- name: ParkContact :exec
UPDATE contacts SET interests = @interests, trigger_seq = greatest(trigger_seq, @trigger_seq), pending_since = NULL WHERE id = @id;

-- name: MarkContactPending :exec
UPDATE contacts SET pending_since = @now::timestamptz WHERE id = @id;

-- name: UpdateContactTraits :one
UPDATE contacts SET
    traits     = (traits || @set_traits::jsonb) - @removed_traits::text[],
    email      = sqlc.narg('email'),
    email_key  = sqlc.narg('email_key'),
    timezone   = sqlc.narg('timezone'),
    locale     = sqlc.narg('locale'),
    told_at    = greatest(told_at, @now),
    updated_at = @now
WHERE id = @id
RETURNING *;

-- name: LinkFreeIdentity :exec
INSERT INTO identities (kind, value, contact_id) VALUES (@kind, @value, @contact_id) ON CONFLICT (kind, value) DO NOTHING;

-- name: SetContactStage :exec
UPDATE contacts SET stage = @stage, updated_at = @now WHERE id = @id;

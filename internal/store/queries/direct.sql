-- Messages of no enrollment that may be sent now: new ones, deferred ones, those whose sender has died, and those that may be sent once more.
-- New ones come first: however many were put off, they keep nobody waiting.
-- name: ListDirect :many
SELECT id, contact_id, state, attempt, updated_at FROM messages
WHERE enrollment_id IS NULL AND (state IN ('queued', 'deferred') OR state = 'sending' AND lease_until <= @now OR state = 'unknown' AND class = 'transactional' AND resends = 0)
ORDER BY state <> 'queued', updated_at LIMIT @max_rows;

-- name: NotifyDirect :exec
SELECT pg_notify('direct_messages', '');

-- name: FindRequest :one
SELECT request_hash FROM messages WHERE contact_id = @contact_id AND id = @id;

-- name: SaveRequest :exec
UPDATE messages SET request_hash = @request_hash WHERE contact_id = @contact_id AND id = @id;

-- Messages of no enrollment that may be sent now: new ones, deferred ones, those whose sender has died, and those that may be sent once more.
-- New ones come first: however many were put off, they keep nobody waiting. A broadcast's mails are its own business.
-- Those that are not due yet, or wait for a turn, are left out here and not later: a page full of them would hide those that are due.
-- name: ListDirect :many
SELECT m.id, m.contact_id, m.state FROM messages m LEFT JOIN message_waits w ON w.message_id = m.id
WHERE m.enrollment_id IS NULL AND (m.state = 'queued'
    OR m.state = 'deferred' AND m.updated_at + (@delays::float8[])[least(greatest(m.attempt, 1), cardinality(@delays::float8[]))] * interval '1 second' <= @now::timestamptz
    OR m.state = 'sending' AND m.lease_until <= @now::timestamptz OR m.state = 'unknown' AND m.class = 'transactional' AND m.resends = 0)
    AND NOT EXISTS (SELECT 1 FROM broadcast_recipients r WHERE r.message_id = m.id)
    AND (w.until IS NULL OR w.until <= @now::timestamptz)
ORDER BY m.state <> 'queued', m.updated_at LIMIT @max_rows;

-- name: NotifyDirect :exec
SELECT pg_notify('direct_messages', '');

-- name: FindRequest :one
SELECT request_hash FROM messages WHERE contact_id = @contact_id AND id = @id;

-- name: SaveRequest :exec
UPDATE messages SET request_hash = @request_hash WHERE contact_id = @contact_id AND id = @id;

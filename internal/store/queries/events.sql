-- name: FindEventBySeq :one
SELECT * FROM events WHERE contact_id = @contact_id AND seq = @seq;

-- name: FindEvent :one
SELECT * FROM events WHERE contact_id = @contact_id AND id = @id;

-- name: ListEventsAfter :many
SELECT * FROM events
WHERE contact_id = @contact_id AND seq > @after AND name <> '' AND name = ANY(@names::text[])
    AND (NOT moved OR NOT EXISTS (SELECT 1 FROM merges m
        WHERE m.into_id = events.contact_id AND seq > m.shift AND seq <= m.upto AND m.shift >= @after))
ORDER BY seq LIMIT @max_rows;

-- name: TallyEvents :one
SELECT count(*) AS n, coalesce(min(occurred_at), 'epoch')::timestamptz AS oldest FROM events
WHERE contact_id = @contact_id AND name = @name AND occurred_at > @since AND occurred_at <= @now;

-- name: LastEventAt :one
SELECT occurred_at FROM events WHERE contact_id = @contact_id AND name = @name ORDER BY occurred_at DESC LIMIT 1;

-- name: ListEventsBySeq :many
SELECT * FROM events WHERE contact_id = @contact_id AND seq = ANY(@seqs::bigint[]);

-- name: ListRecentEvents :many
SELECT * FROM events WHERE contact_id = @contact_id AND name <> '' AND type <> 'system' ORDER BY seq DESC LIMIT @max_rows;

-- How a contact's journal begins, and that of each contact that was merged into it.
-- name: ListFirstEvents :many
SELECT e.type, e.name, e.context, e.occurred_at FROM (
    SELECT 0::bigint AS low
    UNION SELECT m.shift FROM merges m WHERE m.into_id = @contact_id
) part CROSS JOIN LATERAL (
    SELECT ev.type, ev.name, ev.context, ev.occurred_at, ev.seq FROM events ev
    WHERE ev.contact_id = @contact_id AND ev.seq > part.low AND ev.type <> 'system' ORDER BY ev.seq LIMIT 20
) e
ORDER BY e.occurred_at, e.seq LIMIT 20;

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

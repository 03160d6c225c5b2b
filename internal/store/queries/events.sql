-- name: FindEventBySeq :one
SELECT * FROM events WHERE contact_id = @contact_id AND seq = @seq;

-- name: FindEvent :one
SELECT * FROM events WHERE contact_id = @contact_id AND id = @id;

-- name: ListEventsAfter :many
SELECT * FROM events
WHERE contact_id = @contact_id AND seq > @after AND type IN ('track', 'signal') AND name = ANY(@names::text[])
ORDER BY seq LIMIT @max_rows;

-- name: CountEvents :one
SELECT count(*) FROM events WHERE contact_id = @contact_id AND name = @name AND occurred_at >= @since;

-- name: LastEventAt :one
SELECT occurred_at FROM events WHERE contact_id = @contact_id AND name = @name ORDER BY occurred_at DESC LIMIT 1;

-- name: ListEventsBySeq :many
SELECT * FROM events WHERE contact_id = @contact_id AND seq = ANY(@seqs::bigint[]);

-- name: ListRecentEvents :many
SELECT * FROM events WHERE contact_id = @contact_id AND type IN ('track', 'signal') ORDER BY seq DESC LIMIT @max_rows;

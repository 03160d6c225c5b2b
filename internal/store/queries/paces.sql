-- name: ListPaces :many
SELECT * FROM provider_paces WHERE slowed_at IS NOT NULL ORDER BY provider;

-- The row is locked: two processes that hear the same provider slow down one after the other.
-- name: LockPace :one
INSERT INTO provider_paces (provider, next_turn) VALUES (@provider, @now)
ON CONFLICT (provider) DO UPDATE SET provider = excluded.provider RETURNING *;

-- Turns that were given out at the old rate are taken back, as far as nobody has them yet.
-- name: SavePace :exec
UPDATE provider_paces SET rate = @rate, ceiling = @ceiling, slowed_at = @slowed_at, slow_downs = @slow_downs, code = @code, enhanced_code = @enhanced_code,
    next_turn = greatest(next_turn, @next_turn)
WHERE provider = @provider;

-- What nobody asks for any more is forgotten: a domain can be a person's.
-- name: ForgetPaces :exec
DELETE FROM provider_paces WHERE next_turn < @before AND (slowed_at IS NULL OR slowed_at < @before);

-- Turns are given out in the order in which they are asked for, whoever asks.
-- name: LeaseTurns :one
UPDATE provider_paces SET next_turn = greatest(next_turn, @now::timestamptz) + interval '1 second' * @taken::float8
WHERE provider = @provider AND next_turn < @horizon RETURNING next_turn;

-- name: AddPace :exec
INSERT INTO provider_paces (provider, next_turn) VALUES (@provider, @now) ON CONFLICT DO NOTHING;

-- name: NoteWait :exec
WITH waits AS (
    INSERT INTO message_waits (message_id, provider, until) VALUES (@message_id, @provider, @until)
    ON CONFLICT (message_id) DO UPDATE SET provider = excluded.provider, until = excluded.until
)
UPDATE messages SET reason = @reason::text WHERE id = @message_id AND state IN ('queued', 'deferred') AND reason = '';

-- name: FindWait :one
SELECT provider, until FROM message_waits WHERE message_id = @message_id;

-- name: CountWaits :many
SELECT w.provider, count(*) AS waiting FROM message_waits w JOIN messages m ON m.id = w.message_id
WHERE m.state IN ('queued', 'deferred') AND w.until > @since GROUP BY w.provider;

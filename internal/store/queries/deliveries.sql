-- Once: a second copy changes nothing.
-- name: InsertMailReport :execrows
INSERT INTO mail_reports (id, source, dedupe_key, message_id, email_key, state, raw, received_at)
VALUES (@id, @source, @dedupe_key, sqlc.narg('message_id'), @email_key, @state, @raw, @received_at)
ON CONFLICT (source, dedupe_key) DO NOTHING;

-- Without the lock: an address is locked before its messages.
-- name: FindRecipients :many
SELECT id, to_address FROM messages WHERE id = ANY(@ids::uuid[]);

-- name: LockDelivery :one
SELECT state, delivery, bounce, delivery_code, delivery_at FROM messages WHERE id = @id FOR NO KEY UPDATE;

-- updated_at stays: a message that was put off is tried again by it.
-- name: SetDelivery :exec
UPDATE messages SET delivery = @delivery, bounce = @bounce, delivery_code = @delivery_code, delivery_at = @delivery_at::timestamptz
WHERE id = @id;

-- Who reports on a message shows that it had been taken.
-- name: SettleUnknown :exec
UPDATE messages SET state = 'sent', reason = '', sent_at = @at::timestamptz, updated_at = @now WHERE id = @id AND state = 'unknown';

-- name: InsertDelivery :exec
INSERT INTO deliveries (report_id, message_id, email_key, delivery, bounce, code, suppressed, at, created_at)
VALUES (@report_id, @message_id, @email_key, @delivery, @bounce, @code, @suppressed, @at, @created_at);

-- How many other messages to the address came back soft.
-- name: CountSoftBounces :one
SELECT count(DISTINCT message_id)::bigint FROM deliveries
WHERE email_key = @email_key AND bounce = 'soft' AND created_at > @since AND message_id <> @message_id;

-- name: ListDeliveriesByJournal :many
SELECT d.journal_id, d.message_id, d.delivery, d.bounce, d.code, d.suppressed, d.at, d.created_at, m.journey, m.step_id, m.subject
FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE d.journal_id = ANY(@journal_ids::bigint[]);

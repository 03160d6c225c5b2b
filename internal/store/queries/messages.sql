-- name: FindMessage :one
SELECT * FROM messages WHERE id = @id;

-- name: FindContactMessage :one
SELECT * FROM messages WHERE contact_id = @contact_id AND id = @id;

-- name: InsertMessage :execrows
INSERT INTO messages (id, contact_id, enrollment_id, journey, version, step_id, visit, template, template_version, class, state, reason,
    to_address, subject, html, text, raw, message_id, created_at, updated_at, topic, locale, attempt, fence, lease_until)
VALUES (@id, @contact_id, @enrollment_id, @journey, @version, @step_id, @visit, @template, @template_version, @class, @state, @reason,
    @to_address, @subject, @html, @text, @raw, @message_id, @created_at, @updated_at, @topic, @locale, @claims::integer, @claims::integer, sqlc.narg('lease_until'))
ON CONFLICT DO NOTHING;

-- A transactional message whose fate is unknown is claimed once more, with the same bytes; a marketing one never is.
-- name: ClaimMessage :one
UPDATE messages SET
    state       = 'sending',
    reason      = '',
    fence       = fence + 1,
    attempt     = attempt + 1,
    resends     = resends + CASE WHEN state = 'unknown' THEN 1 ELSE 0 END,
    lease_until = @lease_until::timestamptz,
    updated_at  = @now
WHERE contact_id = @contact_id AND id = @id
    AND (state IN ('queued', 'deferred') OR (state = 'unknown' AND class = 'transactional' AND resends = 0))
RETURNING *;

-- name: CloseUnsentMessage :execrows
UPDATE messages SET state = @state, reason = @reason, updated_at = @now
WHERE contact_id = @contact_id AND id = @id AND state IN ('queued', 'deferred');

-- Only the holder of the newest claim may say how it went: also late, when its lease has run out and the fate was taken for unknown.
-- name: FinishMessage :execrows
UPDATE messages SET
    state         = @state,
    reason        = @reason,
    smtp_code     = @smtp_code,
    enhanced_code = @enhanced_code,
    smtp_reply    = @smtp_reply,
    lease_until   = NULL,
    sent_at       = sqlc.narg('sent_at'),
    updated_at    = @now
WHERE id = @id AND fence = @fence AND state IN ('sending', 'unknown');

-- name: ExtendLease :execrows
UPDATE messages SET lease_until = @until::timestamptz WHERE id = @id AND fence = @fence AND state = 'sending';

-- A report that came meanwhile has settled the fate.
-- name: ExpireLease :execrows
UPDATE messages SET
    state       = CASE WHEN delivery IN ('delivered', 'bounced', 'complained') THEN 'sent' ELSE 'unknown' END,
    reason      = CASE WHEN delivery IN ('delivered', 'bounced', 'complained') THEN '' ELSE @reason::text END,
    sent_at     = CASE WHEN delivery IN ('delivered', 'bounced', 'complained') THEN delivery_at END,
    lease_until = NULL,
    updated_at  = @now
WHERE id = @id AND state = 'sending' AND lease_until <= @now;

-- Without the bodies: a list of bodies is megabytes.
-- name: ListMessagesByJournal :many
SELECT id, contact_id, enrollment_id, journey, version, step_id, visit, template, template_version, class, state, reason, to_address, subject,
    ''::text AS html, ''::text AS text, ''::bytea AS raw, message_id, attempt, fence, lease_until, resends, smtp_code, enhanced_code, smtp_reply,
    created_at, updated_at, sent_at, journal_id, topic, delivery, bounce, delivery_code, delivery_at, request_hash, locale
FROM messages WHERE contact_id = @contact_id AND journal_id = ANY(@journal_ids::bigint[]);

-- name: ListMessagesOfNumbers :many
SELECT id, contact_id, enrollment_id, journey, version, step_id, visit, template, template_version, class, state, reason, to_address, subject,
    ''::text AS html, ''::text AS text, ''::bytea AS raw, message_id, attempt, fence, lease_until, resends, smtp_code, enhanced_code, smtp_reply,
    created_at, updated_at, sent_at, journal_id, topic, delivery, bounce, delivery_code, delivery_at, request_hash, locale
FROM messages WHERE journal_id = ANY(@journal_ids::bigint[]) ORDER BY journal_id DESC;

-- name: FindStepMessage :one
SELECT id, contact_id, enrollment_id, journey, version, step_id, visit, template, template_version, class, state, reason, to_address, subject,
    ''::text AS html, ''::text AS text, ''::bytea AS raw, message_id, attempt, fence, lease_until, resends, smtp_code, enhanced_code, smtp_reply,
    created_at, updated_at, sent_at, journal_id, topic, delivery, bounce, delivery_code, delivery_at, request_hash, locale
FROM messages WHERE enrollment_id = @enrollment_id::uuid AND step_id = @step_id ORDER BY visit DESC LIMIT 1;

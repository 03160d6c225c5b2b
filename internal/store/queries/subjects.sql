-- name: FindSubjectSet :one
SELECT * FROM subject_sets WHERE id = @id;

-- name: FindSubjectSetByKey :one
SELECT * FROM subject_sets WHERE key = @key;

-- name: LockSubjectSet :one
SELECT * FROM subject_sets WHERE id = @id FOR UPDATE;

-- name: ListSubjectSets :many
SELECT * FROM subject_sets WHERE template = @template ORDER BY wanted_at DESC, id LIMIT @max_rows;

-- name: ListSubjectLines :many
SELECT * FROM subject_lines WHERE set_id = ANY(@sets::uuid[]) ORDER BY set_id, number;

-- name: InsertSubjectSet :execrows
INSERT INTO subject_sets (id, key, template, template_version, locale, segment, brief, written, state, wanted_at, updated_at)
VALUES (@id, @key, @template, @template_version, @locale, @segment, @brief, @written, 'wanted', @now, @now)
ON CONFLICT (key) DO NOTHING;

-- What failed some time ago is wanted again.
-- name: WantSubjectSetAgain :execrows
UPDATE subject_sets SET state = 'wanted', reason = '', wanted_at = @now, updated_at = @now
WHERE key = @key AND state = 'failed' AND updated_at < @before;

-- name: SettleSubjectSet :execrows
UPDATE subject_sets SET state = @state, reason = @reason, updated_at = @now WHERE id = @id AND state = 'wanted';

-- name: ListLateSubjectSets :many
SELECT * FROM subject_sets WHERE state = 'wanted' AND wanted_at < @before ORDER BY wanted_at LIMIT @max_rows;

-- name: InsertSubjectLine :exec
INSERT INTO subject_lines (id, set_id, number, text, state, reason, words, weight, updated_at)
VALUES (@id, @set_id, @number, @text, @state, @reason, @words, @weight, @now)
ON CONFLICT (set_id, number) DO NOTHING;

-- name: UpdateSubjectLine :exec
UPDATE subject_lines SET state = @state, reason = @reason, words = @words, weight = @weight, updated_at = @now WHERE id = @id;

-- name: InsertMessageSubject :exec
INSERT INTO message_subjects (message_id, set_id, line_id, reason, at) VALUES (@message_id, @set_id, sqlc.narg('line_id'), @reason, @at)
ON CONFLICT DO NOTHING;

-- Mails whose time to be followed is over, each counted once. One of which nobody can know whether it was followed, or that nobody got, tells nothing.
-- name: CountSubjects :many
WITH due AS (
    SELECT s.message_id, s.set_id, s.line_id, (m.state = 'sent' AND t.message_id IS NOT NULL)::boolean AS tells, (t.clicked_at IS NOT NULL)::boolean AS clicked
    FROM message_subjects s JOIN messages m ON m.id = s.message_id LEFT JOIN message_tracking t ON t.message_id = s.message_id
    WHERE NOT s.counted AND s.at < @before AND m.state NOT IN ('queued', 'sending', 'deferred')
    ORDER BY s.at LIMIT @max_rows FOR UPDATE OF s SKIP LOCKED
), marked AS (
    UPDATE message_subjects s SET counted = true FROM due WHERE s.message_id = due.message_id
), sums AS (
    SELECT line_id, count(*) AS sent, count(*) FILTER (WHERE clicked) AS clicked FROM due WHERE tells AND line_id IS NOT NULL GROUP BY line_id
), added AS (
    UPDATE subject_lines l SET sent = l.sent + sums.sent, clicked = l.clicked + sums.clicked FROM sums WHERE l.id = sums.line_id
)
SELECT set_id, count(*) AS mails FROM due GROUP BY set_id ORDER BY set_id;

-- name: CountFallbacks :many
SELECT set_id, reason, count(*) AS mails FROM message_subjects WHERE set_id = ANY(@sets::uuid[]) AND reason <> '' GROUP BY 1, 2 ORDER BY 1, 2;

-- Subjects of a template that people liked best, whatever its version: shares of clicks of those that were sent often enough.
-- name: ListWonSubjects :many
SELECT l.text FROM subject_lines l JOIN subject_sets s ON s.id = l.set_id
WHERE s.template = @template AND s.locale = @locale AND l.sent >= @least AND l.state IN ('approved', 'retired')
ORDER BY l.clicked::float / l.sent DESC, l.sent DESC, l.id LIMIT @max_rows;

-- Puts aside what a question may cost, unless that is too much.
-- name: ReserveUsage :execrows
INSERT INTO ai_usage (month, requests, tokens) SELECT @month, 1, @tokens::bigint WHERE @max_requests::bigint >= 1 AND @max_tokens::bigint >= @tokens::bigint
ON CONFLICT (month) DO UPDATE SET requests = ai_usage.requests + 1, tokens = ai_usage.tokens + excluded.tokens
WHERE ai_usage.requests + 1 <= @max_requests::bigint AND ai_usage.tokens + excluded.tokens <= @max_tokens::bigint;

-- Gives back what was put aside and not spent.
-- name: ReturnUsage :exec
UPDATE ai_usage SET tokens = greatest(0, tokens - @tokens::bigint) WHERE month = @month;

-- name: FindUsage :one
SELECT requests, tokens FROM ai_usage WHERE month = @month;

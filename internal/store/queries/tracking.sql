-- name: InsertTracking :exec
INSERT INTO message_tracking (message_id, links) VALUES (@message_id, @links::text[]);

-- silent: the contact has said no to tracking since the mail was made.
-- name: FindTracking :one
SELECT t.links, m.sent_at, EXISTS (
    SELECT 1 FROM consents c WHERE c.contact_id = m.contact_id AND c.topic = @topic AND NOT c.granted)::boolean AS silent
FROM message_tracking t JOIN messages m ON m.id = t.message_id
WHERE t.message_id = @message_id;

-- Bounded: whoever has a link can ask for it as often as they like.
-- name: InsertClick :exec
INSERT INTO mail_clicks (message_id, link, at, actor, reason, due_at)
SELECT @message_id::uuid, @link, @at, @actor, @reason, @due_at
WHERE (SELECT count(*) FROM mail_clicks c WHERE c.message_id = @message_id::uuid) < @most::bigint;

-- name: InsertHumanOpen :exec
UPDATE message_tracking SET opened_at = @at::timestamptz WHERE message_id = @message_id AND opened_at IS NULL;

-- name: InsertMachineOpen :exec
UPDATE message_tracking SET machine_opens = machine_opens + 1 WHERE message_id = @message_id AND machine_opens < @most::integer;

-- name: ListDueMessages :many
SELECT message_id FROM mail_clicks WHERE NOT settled AND due_at <= @now GROUP BY message_id ORDER BY min(due_at) LIMIT @max_rows;

-- All clicks of the messages that are still there: also those that were settled, and those that are not due yet, tell something.
-- name: ListClicksOfMessages :many
SELECT c.id, c.message_id, c.link, c.at, c.actor, c.reason, (NOT c.settled AND c.due_at <= @now)::boolean AS due,
    m.contact_id, m.journey, m.step_id, m.template, m.sent_at, t.links
FROM mail_clicks c JOIN message_tracking t ON t.message_id = c.message_id JOIN messages m ON m.id = c.message_id
WHERE c.message_id = ANY(@message_ids::uuid[])
ORDER BY c.message_id, c.at, c.id;

-- Each click is counted by whoever settles it, once. A request for the head is no click.
-- name: SettleClicks :exec
WITH judged AS (
    SELECT unnest(@ids::bigint[]) AS id, unnest(@actors::text[]) AS actor, unnest(@reasons::text[]) AS reason
), settled AS (
    UPDATE mail_clicks c SET settled = true, actor = judged.actor, reason = judged.reason
    FROM judged WHERE c.id = judged.id AND NOT c.settled
    RETURNING c.message_id, c.at, c.actor, c.reason
), counted AS (
    SELECT message_id, min(at) FILTER (WHERE actor = 'human') AS human_at, count(*) FILTER (WHERE actor <> 'human' AND reason <> 'head') AS machines
    FROM settled GROUP BY message_id
)
UPDATE message_tracking t SET clicked_at = least(t.clicked_at, counted.human_at), machine_clicks = t.machine_clicks + counted.machines
FROM counted WHERE t.message_id = counted.message_id;

-- name: DeleteSettledClicks :exec
DELETE FROM mail_clicks WHERE settled AND at < @before;

-- name: ListTracking :many
SELECT message_id, opened_at, clicked_at, machine_opens, machine_clicks FROM message_tracking WHERE message_id = ANY(@message_ids::uuid[]);

-- name: TallyClicks :many
SELECT m.step_id, count(*) AS total
FROM message_tracking t JOIN messages m ON m.id = t.message_id
WHERE t.clicked_at IS NOT NULL AND m.journey = @journey AND (@version::integer = 0 OR m.version = @version)
GROUP BY 1;

-- name: ListClicked :many
SELECT m.journal_id AS cursor, m.contact_id, c.email, c.user_id, t.clicked_at::timestamptz AS at, m.state AS outcome, m.reason
FROM message_tracking t JOIN messages m ON m.id = t.message_id JOIN contacts c ON c.id = m.contact_id
WHERE t.clicked_at IS NOT NULL AND m.journey = @journey AND m.step_id = @step
    AND (@version::integer = 0 OR m.version = @version) AND m.journal_id < @before
ORDER BY m.journal_id DESC LIMIT @max_rows;

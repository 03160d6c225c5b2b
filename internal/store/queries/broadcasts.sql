-- name: InsertBroadcast :one
INSERT INTO broadcasts (id, name, segment, document, changed_by, created_at, updated_at)
VALUES (@id, @name, @segment, @document, @changed_by, @now, @now) RETURNING *;

-- name: FindBroadcast :one
SELECT * FROM broadcasts WHERE id = @id;

-- name: LockBroadcast :one
SELECT * FROM broadcasts WHERE id = @id FOR NO KEY UPDATE;

-- Ids grow with time.
-- name: ListBroadcasts :many
SELECT * FROM broadcasts WHERE id < @before::uuid ORDER BY id DESC LIMIT @max_rows;

-- name: UpdateBroadcastPlan :one
UPDATE broadcasts SET name = @name, segment = @segment, document = @document, changed_by = @changed_by, revision = revision + 1, updated_at = @now
WHERE id = @id RETURNING *;

-- name: UpdateBroadcastState :one
UPDATE broadcasts SET state = @state, paused_from = @paused_from, opens_at = sqlc.narg('opens_at'), tested_at = sqlc.narg('tested_at'), winner = sqlc.narg('winner'), verdict = @verdict,
    started_at = sqlc.narg('started_at'), ended_at = sqlc.narg('ended_at'), pending_since = sqlc.narg('pending_since'), changed_by = @changed_by, updated_at = @now
WHERE id = @id RETURNING *;

-- What is read clears the mark in the same statement: a change that comes after sets it again.
-- name: TakeBroadcast :one
UPDATE broadcasts SET pending_since = NULL WHERE id = @id RETURNING *;

-- name: ListStaleBroadcasts :many
SELECT id FROM broadcasts WHERE pending_since <= @before::timestamptz ORDER BY pending_since LIMIT @max_rows;

-- name: ListBroadcastsOfSegment :many
SELECT name FROM broadcasts WHERE segment = @segment AND ended_at IS NULL AND state <> 'draft' ORDER BY name;

-- Locked, so that nobody is erased or merged between this and the insert.
-- name: ListMembersToGather :many
SELECT c.id, c.timezone FROM segment_members m JOIN contacts c ON c.id = m.contact_id
WHERE m.segment = @segment AND m.contact_id > @after::uuid ORDER BY m.contact_id LIMIT @max_rows FOR KEY SHARE OF c;

-- name: InsertRecipients :execrows
INSERT INTO broadcast_recipients (message_id, broadcast_id, contact_id, part, variant, due_at, begins_at)
SELECT unnest(@message_ids::uuid[]), @broadcast_id, unnest(@contact_ids::uuid[]), unnest(@parts::text[]), nullif(unnest(@variants::integer[]), -1), unnest(@due::timestamptz[]), unnest(@due::timestamptz[])
ON CONFLICT (message_id) DO NOTHING;

-- name: AdvanceGathering :exec
UPDATE broadcasts SET gathered_to = @gathered_to, gathered_at = sqlc.narg('gathered_at') WHERE id = @id;

-- name: ListDueRecipients :many
SELECT message_id, contact_id, part, variant, state FROM broadcast_recipients
WHERE broadcast_id = @broadcast_id AND (part = 'rest') = @rest::boolean AND state IN ('pending', 'held', 'sending') AND due_at <= @now
ORDER BY due_at, message_id LIMIT @max_rows;

-- name: NextRecipientDue :one
SELECT due_at FROM broadcast_recipients
WHERE broadcast_id = @broadcast_id AND (part = 'rest') = @rest::boolean AND state IN ('pending', 'held', 'sending') ORDER BY due_at LIMIT 1;

-- Whether the tested part is under way still. Who is held does not count: a cap may hold for days. Who waits for a turn at its provider does.
-- name: IsBroadcastBusy :one
SELECT EXISTS (SELECT 1 FROM broadcast_recipients WHERE broadcast_id = @broadcast_id AND (part = 'rest') = false
    AND (state IN ('pending', 'sending') OR state = 'held' AND reason = 'paced'));

-- What somebody is about to do for a recipient, under its contact's lock: the broadcast as it stands, and whether another row stands for the
-- same contact since a merge, and goes first.
-- name: LockRecipient :one
SELECT sqlc.embed(r), b.state AS broadcast_state, b.winner, EXISTS (
    SELECT 1 FROM broadcast_recipients o WHERE o.broadcast_id = r.broadcast_id AND o.contact_id = r.contact_id AND o.message_id <> r.message_id
        AND (o.state IN ('sending', 'sent', 'rejected', 'unknown') OR o.state IN ('pending', 'held') AND o.message_id < r.message_id OR o.reason = 'holdout'))::boolean AS doubled
FROM broadcast_recipients r JOIN broadcasts b ON b.id = r.broadcast_id
WHERE r.message_id = @message_id AND r.contact_id = @contact_id FOR NO KEY UPDATE OF r;

-- name: UpdateRecipient :exec
UPDATE broadcast_recipients SET state = @state, reason = @reason, due_at = @due_at, variant = sqlc.narg('variant'), decided_at = sqlc.narg('decided_at') WHERE message_id = @message_id;

-- name: PostponeRecipient :exec
UPDATE broadcast_recipients SET due_at = greatest(due_at, @until) WHERE message_id = @message_id AND state IN ('pending', 'held', 'sending');

-- Recipients whose mails have come to an end since.
-- name: SettleRecipients :many
WITH settled AS (
    UPDATE broadcast_recipients r SET state = m.state, reason = m.reason
    FROM messages m
    WHERE r.broadcast_id = @broadcast_id AND r.state = 'sending' AND m.id = r.message_id AND m.state IN ('sent', 'rejected', 'unknown', 'skipped', 'failed')
    RETURNING r.state
)
SELECT state, count(*) AS total FROM settled GROUP BY state;

-- A mail that is on its way when a broadcast is cancelled comes to its end; all others end here.
-- name: CancelRecipients :execrows
UPDATE broadcast_recipients SET state = 'skipped', reason = @reason, decided_at = @now::timestamptz WHERE message_id IN (
    SELECT c.message_id FROM broadcast_recipients c WHERE c.broadcast_id = @broadcast_id AND c.state IN ('pending', 'held') LIMIT @max_rows FOR NO KEY UPDATE SKIP LOCKED
) AND state IN ('pending', 'held');

-- name: CountRecipients :many
SELECT state, reason, count(*) AS total FROM broadcast_recipients WHERE broadcast_id = @broadcast_id GROUP BY state, reason ORDER BY state, reason;

-- What the variants have brought. Who got no mail, for whatever reason, is no part of it, except those from whom it was withheld to compare.
-- name: TallyRecipients :many
SELECT r.part, coalesce(r.variant, -1)::integer AS variant, count(*) AS entered,
    count(*) FILTER (WHERE t.clicked_at IS NOT NULL) AS clicked,
    count(*) FILTER (WHERE @goal::text <> '' AND EXISTS (
        SELECT 1 FROM events v WHERE v.contact_id = r.contact_id AND v.name = @goal AND v.received_at > r.decided_at AND v.received_at <= r.decided_at + make_interval(days => @days::integer))) AS converted
FROM broadcast_recipients r LEFT JOIN message_tracking t ON t.message_id = r.message_id
WHERE r.broadcast_id = @broadcast_id AND (r.state IN ('sent', 'unknown') OR r.part = 'holdout' AND r.reason = 'holdout')
GROUP BY 1, 2 ORDER BY 1, 2;

-- name: ListRecipients :many
SELECT r.message_id, r.contact_id, c.email, c.user_id, r.part, r.variant, r.state, r.reason, r.due_at, r.decided_at
FROM broadcast_recipients r JOIN contacts c ON c.id = r.contact_id
WHERE r.broadcast_id = @broadcast_id AND (@state::text = '' OR r.state = @state) AND (@reason::text = '' OR r.reason = @reason) AND r.message_id > @after::uuid
ORDER BY r.message_id LIMIT @max_rows;

-- name: ListBroadcastsOfMessages :many
SELECT r.message_id, r.broadcast_id, b.name, r.variant, b.document FROM broadcast_recipients r JOIN broadcasts b ON b.id = r.broadcast_id WHERE r.message_id = ANY(@message_ids::uuid[]);

-- How many of a segment's members would get a mail of a topic now, and why the others would not: in the order in which it is asked before a mail.
-- name: CountBroadcast :many
SELECT (CASE
    WHEN c.email IS NULL THEN 'no_address'
    WHEN EXISTS (SELECT 1 FROM suppressions s WHERE s.email_key = c.email_key) THEN 'suppressed'
    WHEN EXISTS (SELECT 1 FROM consents a WHERE a.contact_id = c.id AND a.topic IN ('marketing', @topic::text) AND NOT a.granted AND NOT a.pending) THEN 'unsubscribed'
    WHEN EXISTS (SELECT 1 FROM consents p WHERE p.contact_id = c.id AND p.topic = @topic AND p.pending) THEN 'no_consent'
    WHEN o.needed AND NOT EXISTS (SELECT 1 FROM consents g WHERE g.contact_id = c.id AND g.topic = @topic AND g.granted) THEN 'no_consent'
    ELSE '' END)::text AS reason, coalesce(c.timezone, '')::text AS timezone, count(*) AS total
FROM segment_members m JOIN contacts c ON c.id = m.contact_id CROSS JOIN (SELECT EXISTS (SELECT 1 FROM topics t WHERE t.key = @topic AND t.opt_in) AS needed) o
WHERE m.segment = @segment GROUP BY 1, 2 ORDER BY 1, 2;

-- name: MoveRecipients :execrows
UPDATE broadcast_recipients SET contact_id = @into_id WHERE contact_id = @from_id;

-- name: EraseRecipients :execrows
DELETE FROM broadcast_recipients WHERE contact_id = @contact_id;

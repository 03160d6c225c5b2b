-- Both contacts of a merge, in the order of ids as everybody locks them. FOR UPDATE: one of them is deleted.
-- name: LockPair :many
SELECT * FROM contacts WHERE id = ANY(@ids::uuid[]) ORDER BY id FOR UPDATE;

-- name: FindMerge :one
SELECT * FROM merges WHERE from_id = @from_id;

-- Whom a merged contact has become, locked. While another merge commits there is nothing to lock, and the caller asks again.
-- name: LockSurvivor :many
SELECT c.* FROM merges m JOIN contacts c ON c.id = m.into_id WHERE m.from_id = @from_id FOR NO KEY UPDATE OF c;

-- name: FindSurvivor :one
SELECT c.* FROM merges m JOIN contacts c ON c.id = m.into_id WHERE m.from_id = @from_id;

-- name: MoveIdentities :execrows
UPDATE identities SET contact_id = @into_id WHERE contact_id = @from_id;

-- What its journey had read starts nothing any more.
-- name: MoveEvents :execrows
UPDATE events SET contact_id = @into_id, seq = seq + @shift, moved = moved OR seq <= @trigger_seq WHERE contact_id = @from_id;

-- The same key of an API call may have enrolled both: one of the rows keeps it.
-- name: FreeTriggers :exec
UPDATE enrollments f SET trigger_event_id = NULL
WHERE f.contact_id = @from_id AND EXISTS (
    SELECT 1 FROM enrollments i WHERE i.contact_id = @into_id AND i.journey = f.journey AND i.trigger_event_id = f.trigger_event_id
);

-- A waiting enrollment has looked at everything that its journey had read. One that was moved before may have been adopted and not have
-- looked yet: it keeps what it was known to have seen.
-- name: MoveEnrollments :execrows
UPDATE enrollments SET
    contact_id  = @into_id,
    entered_seq = entered_seq + @shift::bigint,
    scanned_seq = CASE
        WHEN scanned_seq > 0 THEN scanned_seq + @shift::bigint
        WHEN scanned_seq IS NULL AND state = 'waiting' THEN (@trigger_seq::bigint) + (@shift::bigint)
        ELSE 0 END
WHERE contact_id = @from_id;

-- The journal speaks of events by number, too.
-- name: MoveDecisions :execrows
UPDATE decisions SET contact_id = @into_id, detail =
    CASE WHEN jsonb_exists(detail, 'seq') THEN jsonb_build_object('seq', (detail ->> 'seq')::bigint + @shift::bigint) ELSE '{}'::jsonb END
    || CASE WHEN detail #> '{outcome,seq}' IS NOT NULL
        THEN jsonb_set(detail, '{outcome,seq}', to_jsonb((detail #>> '{outcome,seq}')::bigint + @shift::bigint)) - 'seq'
        WHEN jsonb_exists(detail, 'seq') THEN detail - 'seq' ELSE detail END
WHERE contact_id = @from_id;

-- name: MoveMessages :execrows
UPDATE messages SET contact_id = @into_id WHERE contact_id = @from_id;

-- name: MoveHandoffs :execrows
UPDATE handoffs SET contact_id = @into_id WHERE contact_id = @from_id;

-- name: MoveScoreChanges :execrows
UPDATE score_changes SET contact_id = @into_id WHERE contact_id = @from_id;

-- name: MoveObjects :execrows
UPDATE objects SET contact_id = @into_id::uuid WHERE contact_id = @from_id::uuid;

-- A withdrawal wins, whoever of the two made it; of two that say the same the newer one is kept. A request that is not confirmed wins over nothing.
-- name: MergeConsents :exec
INSERT INTO consents (contact_id, topic, granted, source, at, pending)
SELECT @into_id::uuid, f.topic, f.granted, f.source, f.at, f.pending FROM consents f WHERE f.contact_id = @from_id
ON CONFLICT (contact_id, topic) DO UPDATE SET granted = excluded.granted, source = excluded.source, at = excluded.at, pending = excluded.pending
WHERE (consents.pending AND NOT excluded.pending) OR NOT excluded.pending AND (consents.granted AND NOT excluded.granted) OR consents.pending = excluded.pending AND (consents.granted = excluded.granted AND consents.at < excluded.at);

-- name: MoveMerges :exec
UPDATE merges SET into_id = @into_id, shift = shift + @by_events, upto = upto + @by_events WHERE into_id = @from_id;

-- name: DeleteContact :execrows
DELETE FROM contacts WHERE id = @id;

-- name: InsertMerge :exec
INSERT INTO merges (from_id, into_id, shift, upto, by, at) VALUES (@from_id, @into_id, @shift, @upto, @by, @at);

-- name: UpdateSurvivor :exec
UPDATE contacts SET
    user_id       = sqlc.narg('user_id'),
    email         = sqlc.narg('email'),
    email_key     = sqlc.narg('email_key'),
    traits        = @traits,
    timezone      = sqlc.narg('timezone'),
    locale        = sqlc.narg('locale'),
    stage         = @stage,
    score         = @score,
    score_state   = @score_state,
    company_id    = sqlc.narg('company_id'),
    last_seq      = @last_seq,
    created_at    = @created_at,
    pending_since = @now::timestamptz,
    recheck_at    = @now::timestamptz,
    told_at       = sqlc.narg('told_at'),
    email_verdict  = @email_verdict,
    email_reasons  = @email_reasons,
    email_check_at = sqlc.narg('email_check_at'),
    updated_at    = @now
WHERE id = @id;

-- What was said about both, in the order of moments; of one moment, what was said about the one that stays comes last.
-- name: ListToldOfPair :many
SELECT contact_id, type, properties, occurred_at FROM events
WHERE contact_id IN (@from_id, @into_id) AND name = '' AND type IN ('identify', 'group')
ORDER BY occurred_at, contact_id = @into_id, seq;

-- Open enrollments of both, with whether sales has the contact in its hands because of it.
-- name: ListOpenOfPair :many
SELECT e.id, e.contact_id, e.journey, e.step, e.entered_at, EXISTS (
    SELECT 1 FROM handoffs h WHERE h.enrollment_id = e.id AND h.status IN ('open', 'accepted')) AS with_sales
FROM enrollments e WHERE e.contact_id = ANY(@contact_ids::uuid[]) AND e.ended_at IS NULL
ORDER BY e.entered_at, e.id;

-- name: CancelEnrollment :exec
UPDATE enrollments SET state = 'cancelled', reason = @reason, wake_at = NULL, ended_at = @now::timestamptz WHERE id = @id;

-- name: CancelHandoffs :exec
UPDATE handoffs SET status = 'cancelled', reason = @reason, updated_at = @now WHERE enrollment_id = @enrollment_id::uuid AND status IN ('open', 'accepted');

-- name: ListEnrollmentDecisions :many
SELECT * FROM decisions WHERE enrollment_id = @enrollment_id::uuid AND step_id <> '' ORDER BY journal_id;

-- name: ListEnrollmentMessages :many
SELECT step_id, visit, state, class, reason, resends, updated_at, journal_id FROM messages WHERE enrollment_id = @enrollment_id::uuid ORDER BY journal_id;

-- A company's score is a sum over its members, and those are others now.
-- name: TouchCompanies :exec
UPDATE companies SET changed_at = @now::timestamptz WHERE id = ANY(@ids::uuid[]);

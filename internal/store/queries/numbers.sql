-- A journey's numbers. Version 0 stands for all of them.

-- name: TallyEnrollments :many
SELECT state, reason, (CASE WHEN ended_at IS NULL THEN step ELSE '' END)::text AS step, count(*) AS total
FROM enrollments
WHERE journey = @journey AND (@version::integer = 0 OR version = @version)
GROUP BY 1, 2, 3;

-- name: TallyDecisions :many
SELECT d.step_id, d.kind, d.outcome, count(*) AS total
FROM decisions d JOIN enrollments e ON e.id = d.enrollment_id
WHERE d.journey = @journey AND d.step_id <> '' AND e.journey = @journey AND (@version::integer = 0 OR e.version = @version)
GROUP BY 1, 2, 3;

-- Who failed or was cancelled at a step of which nothing else is recorded: it came to the step, and never left it. A cancellation does not
-- say at which visit.
-- name: TallyStranded :many
SELECT d.step_id, count(*) AS total
FROM enrollments e JOIN decisions d ON d.enrollment_id = e.id AND d.step_id = e.step AND d.kind = e.state
WHERE e.journey = @journey AND (@version::integer = 0 OR e.version = @version) AND e.state IN ('failed', 'cancelled') AND e.step <> ''
    AND NOT EXISTS (SELECT 1 FROM decisions o WHERE o.enrollment_id = d.enrollment_id AND o.step_id = d.step_id
        AND o.kind NOT IN ('failed', 'cancelled') AND (o.visit = d.visit OR d.visit = 0))
    AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.enrollment_id = d.enrollment_id AND m.step_id = d.step_id
        AND m.state NOT IN ('queued', 'sending', 'deferred') AND (m.visit = d.visit OR d.visit = 0))
GROUP BY 1;

-- name: TallyMessages :many
SELECT step_id, state, reason, count(*) AS total
FROM messages
WHERE journey = @journey AND (@version::integer = 0 OR version = @version)
GROUP BY 1, 2, 3;

-- name: TallyDays :many
SELECT day::text AS day, sum(entered)::bigint AS entered, sum(converted)::bigint AS converted, sum(sent)::bigint AS sent FROM (
    SELECT (e.entered_at AT TIME ZONE 'UTC')::date AS day, 1 AS entered, 0 AS converted, 0 AS sent FROM enrollments e
    WHERE e.journey = @journey AND e.entered_at >= @since
    UNION ALL
    SELECT (e.ended_at AT TIME ZONE 'UTC')::date, 0, 1, 0 FROM enrollments e
    WHERE e.journey = @journey AND e.state = 'completed' AND e.reason = 'goal' AND e.ended_at >= @since
    UNION ALL
    SELECT (m.sent_at AT TIME ZONE 'UTC')::date, 0, 0, 1 FROM messages m
    WHERE m.journey = @journey AND m.state = 'sent' AND m.sent_at >= @since
) AS happened
GROUP BY 1 ORDER BY 1;

-- name: ListEnrolled :many
SELECT e.id AS cursor, e.contact_id, c.email, c.user_id, e.entered_at AS at, e.state AS outcome, e.reason
FROM enrollments e JOIN contacts c ON c.id = e.contact_id
WHERE e.journey = @journey AND (@version::integer = 0 OR e.version = @version)
    AND (@step::text = '' OR e.ended_at IS NULL AND e.step = @step)
    AND (@state::text = '' OR e.state = @state) AND (@reason::text = '' OR e.reason = @reason)
    AND e.id < @before::uuid
ORDER BY e.id DESC LIMIT @max_rows;

-- name: ListDecided :many
SELECT d.journal_id AS cursor, d.contact_id, c.email, c.user_id, d.at, d.outcome, d.reason
FROM decisions d JOIN enrollments e ON e.id = d.enrollment_id JOIN contacts c ON c.id = d.contact_id
WHERE d.journey = @journey AND d.step_id = @step AND d.step_id <> '' AND d.outcome = @outcome AND (@version::integer = 0 OR e.version = @version)
    AND d.journal_id < @before
ORDER BY d.journal_id DESC LIMIT @max_rows;

-- name: ListMailed :many
SELECT m.journal_id AS cursor, m.contact_id, c.email, c.user_id, m.updated_at AS at, m.state AS outcome, m.reason
FROM messages m JOIN contacts c ON c.id = m.contact_id
WHERE m.journey = @journey AND m.step_id = @step AND m.state = @state AND (@reason::text = '' OR m.reason = @reason)
    AND (@version::integer = 0 OR m.version = @version) AND m.journal_id < @before
ORDER BY m.journal_id DESC LIMIT @max_rows;

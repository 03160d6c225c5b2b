-- name: FindJourney :one
SELECT * FROM journeys WHERE key = @key;

-- name: LockJourney :one
SELECT * FROM journeys WHERE key = @key FOR UPDATE;

-- Makes the journey; saves over an existing one only when the caller expected no revision.
-- name: UpsertDraft :one
INSERT INTO journeys (key, draft, draft_source, draft_problems, revision, created_at, updated_at)
VALUES (@key, @draft, sqlc.narg('source'), @draft_problems, 1, @now, @now)
ON CONFLICT (key) DO UPDATE SET draft = excluded.draft, draft_source = excluded.draft_source, draft_problems = excluded.draft_problems,
    revision = journeys.revision + 1, updated_at = excluded.updated_at
WHERE @force::boolean
RETURNING *;

-- name: UpdateDraft :one
UPDATE journeys SET draft = @draft, draft_source = sqlc.narg('source'), draft_problems = @draft_problems, revision = revision + 1, updated_at = @now
WHERE key = @key AND revision = @expected
RETURNING *;

-- name: ListJourneys :many
SELECT * FROM journeys WHERE key > @after ORDER BY key LIMIT @max_rows;

-- name: FindVersion :one
SELECT * FROM journey_versions WHERE journey = @journey AND number = @number;

-- name: FindVersionOfJourneyByHash :one
SELECT * FROM journey_versions WHERE journey = @journey AND hash = @hash;

-- name: FindVersionByHash :one
SELECT * FROM journey_versions WHERE hash = @hash ORDER BY published_at, journey LIMIT 1;

-- name: FindLiveVersion :one
SELECT v.* FROM journey_versions v JOIN journeys j ON j.key = v.journey AND j.live_version = v.number WHERE j.key = @key;

-- name: ListVersions :many
SELECT * FROM journey_versions WHERE journey = @journey AND number < @before ORDER BY number DESC LIMIT @max_rows;

-- name: ListTriggeredVersions :many
SELECT v.*, t.live_since FROM triggers t
JOIN journeys j ON j.key = t.journey
JOIN journey_versions v ON v.journey = j.key AND v.number = j.live_version
WHERE t.event_name = @event_name ORDER BY v.journey;

-- name: ListTriggerNames :many
SELECT DISTINCT event_name FROM triggers ORDER BY event_name;

-- name: InsertVersion :one
INSERT INTO journey_versions (journey, number, hash, document, published_at)
SELECT @journey, coalesce(max(number), 0)::integer + 1, @hash, @document, @now FROM journey_versions WHERE journey = @journey
RETURNING *;

-- Asked under the lock of a contact. The share lock makes a resume wait for those who hold their contacts still, so that it finds them all;
-- it is taken while something is paused only.
-- name: PausedJourneys :many
SELECT key FROM journeys WHERE paused_at IS NOT NULL ORDER BY key FOR SHARE;

-- name: PauseJourney :one
UPDATE journeys SET paused_at = coalesce(paused_at, @now::timestamptz), release_after = NULL
WHERE key = @key AND live_version IS NOT NULL RETURNING *;

-- name: ResumeJourney :one
UPDATE journeys SET paused_at = NULL, resumed_at = @now::timestamptz, release_after = '00000000-0000-0000-0000-000000000000'
WHERE key = @key AND paused_at IS NOT NULL RETURNING *;

-- name: InsertPause :exec
INSERT INTO journey_pauses (journey, paused_at, paused_by) VALUES (@journey, @at, @by)
ON CONFLICT (journey) WHERE resumed_at IS NULL DO NOTHING;

-- Not before it began: two processes need not have the same clock.
-- name: EndPause :exec
UPDATE journey_pauses SET resumed_at = greatest(paused_at, @at::timestamptz), resumed_by = @by WHERE journey = @journey AND resumed_at IS NULL;

-- The pauses around a contact's enrollments, in one journey or (journey empty) all of them, the newest first.
-- name: ListContactPauses :many
SELECT e.id AS enrollment_id, p.journey, p.paused_at, p.resumed_at, p.paused_by, p.resumed_by
FROM enrollments e JOIN journey_pauses p ON p.journey = e.journey
    AND p.paused_at < coalesce(e.ended_at, 'infinity') AND coalesce(p.resumed_at, 'infinity') > e.entered_at
WHERE e.contact_id = @contact_id AND (@journey::text = '' OR e.journey = @journey)
ORDER BY p.journal_id DESC LIMIT @max_rows;

-- name: ListPausesByJournal :many
SELECT * FROM journey_pauses WHERE journal_id = ANY(@journal_ids::bigint[]);

-- name: ListReleasing :many
SELECT key, resumed_at::timestamptz AS resumed_at, release_after::uuid AS release_after FROM journeys WHERE release_after IS NOT NULL ORDER BY key;

-- name: ListToRelease :many
SELECT DISTINCT contact_id FROM enrollments WHERE journey = @journey AND ended_at IS NULL AND contact_id > @after ORDER BY contact_id LIMIT @max_rows;

-- In the order of ids, so that two that mark can't wait for each other.
-- name: MarkContactsPending :exec
UPDATE contacts SET pending_since = coalesce(pending_since, @now::timestamptz)
WHERE id IN (SELECT c.id FROM contacts c WHERE c.id = ANY(@ids::uuid[]) ORDER BY c.id FOR NO KEY UPDATE);

-- Not when the journey was paused, or paused and resumed, meanwhile.
-- name: AdvanceRelease :exec
UPDATE journeys SET release_after = sqlc.narg('upto') WHERE key = @key AND release_after = @after::uuid AND resumed_at = @resumed_at::timestamptz;

-- name: SetLiveVersion :exec
UPDATE journeys SET live_version = @number::integer, updated_at = @now WHERE key = @key;

-- name: DeleteOtherTriggers :exec
DELETE FROM triggers WHERE journey = @journey AND NOT event_name = ANY(@event_names::text[]);

-- name: InsertTriggers :exec
INSERT INTO triggers (event_name, journey, live_since) SELECT DISTINCT unnest(@event_names::text[]), @journey::text, @now::timestamptz
ON CONFLICT (event_name, journey) DO NOTHING;

-- name: ListLiveVersions :many
SELECT v.* FROM journeys j JOIN journey_versions v ON v.journey = j.key AND v.number = j.live_version ORDER BY j.key;

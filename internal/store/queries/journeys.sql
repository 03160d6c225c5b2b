-- name: FindJourney :one
SELECT * FROM journeys WHERE key = @key;

-- name: LockJourney :one
SELECT * FROM journeys WHERE key = @key FOR UPDATE;

-- Makes the journey; saves over an existing one only when the caller expected no revision.
-- name: UpsertDraft :one
INSERT INTO journeys (key, draft, draft_problems, revision, created_at, updated_at)
VALUES (@key, @draft, @draft_problems, 1, @now, @now)
ON CONFLICT (key) DO UPDATE SET draft = excluded.draft, draft_problems = excluded.draft_problems,
    revision = journeys.revision + 1, updated_at = excluded.updated_at
WHERE @force::boolean
RETURNING *;

-- name: UpdateDraft :one
UPDATE journeys SET draft = @draft, draft_problems = @draft_problems, revision = revision + 1, updated_at = @now
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

-- name: SetLiveVersion :exec
UPDATE journeys SET live_version = @number::integer, updated_at = @now WHERE key = @key;

-- name: DeleteOtherTriggers :exec
DELETE FROM triggers WHERE journey = @journey AND NOT event_name = ANY(@event_names::text[]);

-- name: InsertTriggers :exec
INSERT INTO triggers (event_name, journey, live_since) SELECT DISTINCT unnest(@event_names::text[]), @journey::text, @now::timestamptz
ON CONFLICT (event_name, journey) DO NOTHING;

-- name: ListLiveVersions :many
SELECT v.* FROM journeys j JOIN journey_versions v ON v.journey = j.key AND v.number = j.live_version ORDER BY j.key;

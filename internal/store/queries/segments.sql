-- name: FindSegment :one
SELECT * FROM segments WHERE key = @key AND deleted_at IS NULL;

-- name: LockSegment :one
SELECT * FROM segments WHERE key = @key FOR UPDATE;

-- A segment that is being taken away is there again: its members are those that have not left yet, and the walk judges everybody anyway.
-- name: UpsertSegment :one
INSERT INTO segments (key, name, condition, revision, filled_at, created_at, updated_at)
VALUES (@key, @name, @condition, 1, NULL, @now, @now)
ON CONFLICT (key) DO UPDATE SET
    name       = excluded.name,
    condition  = excluded.condition,
    revision   = segments.revision + 1,
    filled_at  = CASE WHEN segments.condition = excluded.condition AND segments.deleted_at IS NULL THEN segments.filled_at END,
    created_at = CASE WHEN segments.deleted_at IS NULL THEN segments.created_at ELSE excluded.created_at END,
    deleted_at = NULL,
    updated_at = excluded.updated_at
RETURNING *;

-- name: MarkSegmentDeleted :exec
UPDATE segments SET deleted_at = @now::timestamptz, updated_at = @now, filled_at = NULL WHERE key = @key;

-- name: ListSegments :many
SELECT s.*, (SELECT count(*) FROM segment_members m WHERE m.segment = s.key) AS members
FROM segments s WHERE s.key > @after AND s.deleted_at IS NULL ORDER BY s.key LIMIT @max_rows;

-- name: CountSegmentMembers :one
SELECT count(*) FROM segment_members WHERE segment = @segment;

-- name: ListSegmentKeys :many
SELECT key FROM segments WHERE deleted_at IS NULL ORDER BY key;

-- name: ListMembers :many
SELECT sqlc.embed(c), m.entered_at
FROM segment_members m JOIN contacts c ON c.id = m.contact_id
WHERE m.segment = @segment AND (m.entered_at, m.contact_id) < (@before_at::timestamptz, @before_id::uuid)
ORDER BY m.entered_at DESC, m.contact_id DESC LIMIT @max_rows;

-- name: ListContactSegments :many
SELECT s.key, s.name, m.entered_at
FROM segment_members m JOIN segments s ON s.key = m.segment
WHERE m.contact_id = @contact_id AND s.deleted_at IS NULL ORDER BY s.key;

-- name: IsSegmentMember :one
SELECT EXISTS (SELECT 1 FROM segment_members m JOIN segments s ON s.key = m.segment
    WHERE m.segment = @segment AND m.contact_id = @contact_id AND s.deleted_at IS NULL);

-- name: ListLiveDocuments :many
SELECT j.key, v.document FROM journeys j JOIN journey_versions v ON v.journey = j.key AND v.number = j.live_version ORDER BY j.key;

-- name: ListDeletedSegments :many
SELECT key FROM segments WHERE deleted_at IS NOT NULL ORDER BY key;

-- The locks are taken in the order of ids, as everywhere.
-- name: LockMembers :many
SELECT c.id FROM contacts c
WHERE c.id IN (SELECT m.contact_id FROM segment_members m WHERE m.segment = @segment ORDER BY m.contact_id LIMIT @max_rows)
ORDER BY c.id FOR NO KEY UPDATE OF c;

-- name: DropSegmentFromContacts :exec
UPDATE contacts SET segments = array_remove(segments, @segment::text) WHERE id = ANY(@ids::uuid[]);

-- name: DropMembers :exec
DELETE FROM segment_members WHERE segment = @segment AND contact_id = ANY(@ids::uuid[]);

-- name: DropSegment :exec
DELETE FROM segments WHERE key = @key AND deleted_at IS NOT NULL;

-- name: TryLockClock :one
SELECT pg_try_advisory_xact_lock(@class::int, 0);

-- name: ListContactsOf :many
SELECT * FROM contacts WHERE id = ANY(@ids::uuid[]) ORDER BY id DESC;

-- name: ListDueContacts :many
SELECT id FROM contacts WHERE recheck_at <= @now::timestamptz ORDER BY recheck_at, id LIMIT @max_rows;

-- name: PostponeRecheck :exec
UPDATE contacts SET recheck_at = @until::timestamptz WHERE id = @id;

-- name: OldestRecheck :one
SELECT recheck_at FROM contacts WHERE recheck_at IS NOT NULL ORDER BY recheck_at LIMIT 1;

-- Whoever changes segments takes this lock first, and so does the walk: then nobody waits in a circle.
-- name: LockRules :exec
SELECT revision FROM rules FOR UPDATE;

-- One walker at a time: who finds the row locked leaves it to the other.
-- name: LockWalk :one
SELECT revision, walked, walked_to FROM rules FOR UPDATE SKIP LOCKED;

-- name: ListContactsToWalk :many
SELECT id FROM contacts WHERE id > @after::uuid ORDER BY id LIMIT @max_rows;

-- name: KeepWalk :exec
UPDATE rules SET walked_to = @walked_to::uuid;

-- The segments are filled now, which everybody has to learn: so the rules are others, and everybody has been brought up to these.
-- name: EndWalk :exec
UPDATE rules SET revision = revision + 1, walked = revision + 1, walked_to = NULL;

-- name: SetSegmentsFilled :exec
UPDATE segments SET filled_at = @now::timestamptz WHERE filled_at IS NULL AND deleted_at IS NULL;

-- name: BackendNow :one
SELECT pg_backend_pid()::int AS pid, clock_timestamp()::timestamptz AS now;

-- name: ListChangedCompanies :many
SELECT id, changed_at::timestamptz AS changed_at FROM companies WHERE changed_at IS NOT NULL ORDER BY changed_at, id LIMIT @max_rows;

-- name: LockCompanyMembers :many
SELECT id FROM contacts WHERE company_id = @company_id::uuid ORDER BY id FOR NO KEY UPDATE;

-- name: RecheckContacts :exec
UPDATE contacts SET recheck_at = @now::timestamptz WHERE id = ANY(@ids::uuid[]) AND (recheck_at IS NULL OR recheck_at > @now);

-- name: CompanyTold :exec
UPDATE companies SET changed_at = NULL WHERE id = @id AND changed_at = @changed_at;

-- name: ListCompanyIDs :many
SELECT id FROM companies WHERE id > @after::uuid ORDER BY id LIMIT @max_rows;

-- In the order of ids. Members are told when somebody's conditions look at the sum.
-- name: RefreshCompanyScores :execrows
UPDATE companies p SET score = s.total, changed_at = CASE WHEN @tell::boolean THEN @now::timestamptz ELSE p.changed_at END
FROM (
    SELECT k.id, (SELECT least(greatest(coalesce(sum(c.score), 0), -2147483648), 2147483647) FROM contacts c WHERE c.company_id = k.id)::integer AS total
    FROM (SELECT id FROM companies WHERE id = ANY(@ids::uuid[]) ORDER BY id FOR NO KEY UPDATE) k
) s
WHERE p.id = s.id AND p.score <> s.total;

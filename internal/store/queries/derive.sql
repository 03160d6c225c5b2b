-- What conditions ask about many contacts at once. Arrays of the same length stand for rows; place is the row's number in them.

-- name: TallyMany :many
SELECT k.place::bigint AS place, t.n::bigint AS n, t.oldest::timestamptz AS oldest
FROM (SELECT unnest(@places::bigint[]) AS place, unnest(@contact_ids::uuid[]) AS contact_id, unnest(@names::text[]) AS name,
    unnest(@sinces::timestamptz[]) AS since) k
CROSS JOIN LATERAL (
    SELECT count(*) AS n, coalesce(min(e.occurred_at), 'epoch') AS oldest FROM events e
    WHERE e.contact_id = k.contact_id AND e.name = k.name AND e.occurred_at > k.since AND e.occurred_at <= @now
) t;

-- name: ListEventsOfName :many
SELECT * FROM events
WHERE contact_id = ANY(@contact_ids::uuid[]) AND name = @name AND occurred_at > @since AND occurred_at <= @now;

-- name: LastMany :many
SELECT k.place::bigint AS place, t.newest::timestamptz AS newest
FROM (SELECT unnest(@places::bigint[]) AS place, unnest(@contact_ids::uuid[]) AS contact_id, unnest(@names::text[]) AS name) k
CROSS JOIN LATERAL (
    SELECT max(e.occurred_at) AS newest FROM events e
    WHERE e.contact_id = k.contact_id AND e.name = k.name AND e.occurred_at <= @now
) t WHERE t.newest IS NOT NULL;

-- The newest object of a type that belongs to the contact or to its company.
-- name: NewestObjects :many
SELECT k.place::bigint AS place, t.fields
FROM (SELECT unnest(@places::bigint[]) AS place, unnest(@contact_ids::uuid[]) AS contact_id, unnest(@types::text[]) AS type) k
CROSS JOIN LATERAL (
    SELECT o.fields FROM objects o
    WHERE o.type = k.type AND (o.contact_id = k.contact_id OR o.company_id = (SELECT c.company_id FROM contacts c WHERE c.id = k.contact_id))
    ORDER BY o.updated_at DESC, o.id LIMIT 1
) t;

-- name: ListCompaniesByID :many
SELECT id, group_id, traits, score FROM companies WHERE id = ANY(@ids::uuid[]);

-- name: ListCompaniesByGroup :many
SELECT id, group_id, traits, score FROM companies WHERE group_id = ANY(@group_ids::text[]);

-- Sorted by the caller: every batch takes companies in the same order.
-- name: InsertCompanies :exec
INSERT INTO companies (id, group_id, traits, created_at, updated_at)
SELECT unnest(@ids::uuid[]), unnest(@group_ids::text[]), '{}', @now::timestamptz, @now
ON CONFLICT (group_id) DO NOTHING;

-- name: MergeCompanyTraits :exec
UPDATE companies SET
    traits = (traits || @set_traits::jsonb) - @removed_traits::text[], updated_at = @now::timestamptz, changed_at = @now
WHERE group_id = @group_id AND traits IS DISTINCT FROM (traits || @set_traits::jsonb) - @removed_traits::text[];

-- name: InsertMembers :exec
INSERT INTO segment_members (segment, contact_id, entered_at)
SELECT unnest(@segments::text[]), unnest(@contact_ids::uuid[]), @now::timestamptz
ON CONFLICT DO NOTHING;

-- name: DeleteMembers :exec
DELETE FROM segment_members WHERE (segment, contact_id) IN (SELECT unnest(@segments::text[]), unnest(@contact_ids::uuid[]));

-- name: InsertStageDecisions :exec
INSERT INTO decisions (contact_id, kind, outcome, reason, detail, at)
SELECT u.contact_id, 'stage', u.stage, @reason::text, jsonb_build_object('from', u.came_from), @now::timestamptz
FROM (SELECT unnest(@contact_ids::uuid[]) AS contact_id, unnest(@stages::text[]) AS stage, unnest(@came_from::text[]) AS came_from) u;

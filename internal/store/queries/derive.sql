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
SELECT id, group_id, traits, told_at, score FROM companies WHERE group_id = ANY(@group_ids::text[]);

-- Sorted by the caller: every batch takes companies in the same order.
-- name: InsertCompanies :exec
INSERT INTO companies (id, group_id, traits, created_at, updated_at)
SELECT unnest(@ids::uuid[]), unnest(@group_ids::text[]), '{}', @now::timestamptz, @now
ON CONFLICT (group_id) DO NOTHING;

-- Before what was said of them is merged: then the statement that merges sees what the one before it has committed.
-- name: LockCompanies :many
SELECT id FROM companies WHERE group_id = ANY(@group_ids::text[]) ORDER BY group_id FOR NO KEY UPDATE;

-- Of each trait what was said of the latest moment. The members are told only when that makes a difference.
-- name: MergeCompanyTraits :exec
WITH said AS MATERIALIZED (
    SELECT n.trait, n.value, t.at FROM companies g
    CROSS JOIN jsonb_each(@traits::jsonb) n (trait, value)
    JOIN jsonb_each(@told_at::jsonb) t (trait, at) ON t.trait = n.trait
    WHERE g.group_id = @group_id AND t.at >= coalesce(g.told_at -> n.trait, t.at)
), merged AS (
    SELECT (g.traits || coalesce((SELECT jsonb_object_agg(said.trait, said.value) FROM said WHERE said.value <> 'null'), '{}'))
            - ARRAY(SELECT said.trait FROM said WHERE said.value = 'null') AS traits,
        g.told_at || coalesce((SELECT jsonb_object_agg(said.trait, said.at) FROM said), '{}') AS told_at
    FROM companies g WHERE g.group_id = @group_id
)
UPDATE companies g SET
    traits = merged.traits, told_at = merged.told_at,
    updated_at = CASE WHEN g.traits IS DISTINCT FROM merged.traits THEN @now::timestamptz ELSE g.updated_at END,
    changed_at = CASE WHEN g.traits IS DISTINCT FROM merged.traits THEN @now ELSE g.changed_at END
FROM merged WHERE g.group_id = @group_id AND (g.traits, g.told_at) IS DISTINCT FROM (merged.traits, merged.told_at);

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

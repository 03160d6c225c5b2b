-- The catalogue. What is counted comes in sorted, so that two processes take the rows in the same order. New rows stop at a limit.

-- name: CountEventNames :exec
INSERT INTO event_names AS n (name, count, first_seen, last_seen)
SELECT u.name, u.count, u.first_seen, u.last_seen
FROM (SELECT unnest(@names::text[]) AS name, unnest(@counts::bigint[]) AS count, unnest(@first_seen::timestamptz[]) AS first_seen,
    unnest(@last_seen::timestamptz[]) AS last_seen) u
WHERE EXISTS (SELECT 1 FROM event_names k WHERE k.name = u.name) OR (SELECT count(*) FROM event_names) < @max_names::bigint
ORDER BY u.name
ON CONFLICT (name) DO UPDATE SET count = n.count + excluded.count, first_seen = least(n.first_seen, excluded.first_seen),
    last_seen = greatest(n.last_seen, excluded.last_seen);

-- name: CountBlocked :exec
UPDATE event_names n SET blocked_count = n.blocked_count + u.count
FROM (SELECT k.name, u.count FROM (SELECT unnest(@names::text[]) AS name, unnest(@counts::bigint[]) AS count) u
    JOIN event_names k ON k.name = u.name ORDER BY k.name FOR NO KEY UPDATE OF k) u
WHERE n.name = u.name;

-- name: CountProperties :exec
INSERT INTO event_properties AS p (event, property, type, count, samples)
SELECT u.event, u.property, u.type, u.count, ARRAY(SELECT jsonb_array_elements_text(u.samples::jsonb))
FROM (SELECT unnest(@events::text[]) AS event, unnest(@properties::text[]) AS property, unnest(@types::text[]) AS type,
    unnest(@counts::bigint[]) AS count, unnest(@samples::text[]) AS samples) u
WHERE EXISTS (SELECT 1 FROM event_names k WHERE k.name = u.event)
    AND (EXISTS (SELECT 1 FROM event_properties k WHERE (k.event, k.property, k.type) = (u.event, u.property, u.type))
        OR (SELECT count(*) FROM event_properties k WHERE k.event = u.event) < @max_properties::bigint)
ORDER BY u.event, u.property, u.type
ON CONFLICT (event, property, type) DO UPDATE SET count = p.count + excluded.count,
    samples = CASE WHEN excluded.samples = '{}' THEN p.samples ELSE (excluded.samples || ARRAY(
        SELECT o.sample FROM unnest(p.samples) WITH ORDINALITY AS o(sample, place) WHERE NOT o.sample = ANY(excluded.samples) ORDER BY o.place))[1:8] END;

-- name: CountTraits :exec
INSERT INTO trait_names AS n (name, first_seen, last_seen)
SELECT u.name, u.first_seen, u.last_seen
FROM (SELECT unnest(@names::text[]) AS name, unnest(@first_seen::timestamptz[]) AS first_seen, unnest(@last_seen::timestamptz[]) AS last_seen) u
WHERE EXISTS (SELECT 1 FROM trait_names k WHERE k.name = u.name) OR (SELECT count(*) FROM trait_names) < @max_names::bigint
ORDER BY u.name
ON CONFLICT (name) DO UPDATE SET first_seen = least(n.first_seen, excluded.first_seen), last_seen = greatest(n.last_seen, excluded.last_seen);

-- name: CountTraitTypes :exec
INSERT INTO trait_types AS p (trait, type, count, samples)
SELECT u.trait, u.type, u.count, ARRAY(SELECT jsonb_array_elements_text(u.samples::jsonb))
FROM (SELECT unnest(@traits::text[]) AS trait, unnest(@types::text[]) AS type, unnest(@counts::bigint[]) AS count,
    unnest(@samples::text[]) AS samples) u
WHERE EXISTS (SELECT 1 FROM trait_names k WHERE k.name = u.trait)
ORDER BY u.trait, u.type
ON CONFLICT (trait, type) DO UPDATE SET count = p.count + excluded.count,
    samples = CASE WHEN excluded.samples = '{}' THEN p.samples ELSE (excluded.samples || ARRAY(
        SELECT o.sample FROM unnest(p.samples) WITH ORDINALITY AS o(sample, place) WHERE NOT o.sample = ANY(excluded.samples) ORDER BY o.place))[1:8] END;

-- name: CountMismatches :exec
UPDATE trait_names n SET mismatches = n.mismatches + u.count
FROM (SELECT k.name, u.count FROM (SELECT unnest(@names::text[]) AS name, unnest(@counts::bigint[]) AS count) u
    JOIN trait_names k ON k.name = u.name ORDER BY k.name FOR NO KEY UPDATE OF k) u
WHERE n.name = u.name;

-- name: ListEventRules :many
SELECT name, coalesce(renamed_to, '')::text AS renamed_to, blocked FROM event_names WHERE blocked OR renamed_to IS NOT NULL;

-- name: ListDeclaredTraits :many
SELECT name, declared::text AS declared FROM trait_names WHERE declared IS NOT NULL;

-- name: ListSeenNames :many
SELECT name FROM event_names WHERE count > 0 AND NOT blocked AND renamed_to IS NULL ORDER BY name COLLATE "C";

-- name: FindEventName :one
SELECT * FROM event_names WHERE name = @name;

-- Names that hold the text, whatever their case.
-- name: ListEventNames :many
SELECT * FROM event_names
WHERE name > @after AND (@search::text = '' OR position(lower(@search) IN lower(name)) > 0) ORDER BY name LIMIT @max_rows;

-- name: ListEventProperties :many
SELECT * FROM event_properties WHERE event = @event ORDER BY property, count DESC, type;

-- One rule at a time: two that meet could make a chain.
-- name: LockCatalogue :exec
SELECT pg_advisory_xact_lock(@class, 0);

-- name: FindRenameChain :one
SELECT EXISTS (SELECT 1 FROM event_names n WHERE n.name = @target AND (n.renamed_to IS NOT NULL OR n.blocked))
    OR EXISTS (SELECT 1 FROM event_names n WHERE n.renamed_to = @name) AS chain;

-- name: SaveEventRule :one
INSERT INTO event_names (name, renamed_to, blocked) VALUES (@name, sqlc.narg('renamed_to'), @blocked)
ON CONFLICT (name) DO UPDATE SET renamed_to = excluded.renamed_to, blocked = excluded.blocked
RETURNING *;

-- name: ListCatalogueTraits :many
SELECT * FROM trait_names
WHERE name > @after AND (@search::text = '' OR position(lower(@search) IN lower(name)) > 0) ORDER BY name LIMIT @max_rows;

-- name: ListTraitTypes :many
SELECT * FROM trait_types WHERE trait = ANY(@traits::text[]) ORDER BY trait, count DESC, type;

-- name: DeclareTrait :one
INSERT INTO trait_names (name, declared) VALUES (@name, sqlc.narg('declared'))
ON CONFLICT (name) DO UPDATE SET declared = excluded.declared
RETURNING *;

-- Scoring models, and the journal as scores are folded from it.

-- name: LatestModel :one
SELECT * FROM scoring_models ORDER BY version DESC LIMIT 1;

-- name: ModelAt :one
SELECT * FROM scoring_models WHERE published_at <= @at ORDER BY version DESC LIMIT 1;

-- name: FindModel :one
SELECT * FROM scoring_models WHERE version = @version;

-- name: ListModels :many
SELECT * FROM scoring_models WHERE version < @before ORDER BY version DESC LIMIT @max_rows;

-- name: InsertModel :one
INSERT INTO scoring_models (version, hash, document, published_at) VALUES (@version, @hash, @document, @published_at) RETURNING *;

-- Locks the rules: publishing models, segments and renames takes turns.
-- name: LockRulesForModel :one
SELECT revision FROM rules FOR UPDATE;

-- What a fold needs of events. Properties are read only where a rule's condition looks at them.
-- name: ListScoredEvents :many
SELECT contact_id, name, occurred_at,
    (CASE WHEN name = ANY(@conditional::text[]) THEN properties END)::jsonb AS properties,
    (CASE WHEN name = ANY(@conditional::text[]) THEN context END)::jsonb AS context
FROM events
WHERE contact_id = ANY(@contact_ids::uuid[]) AND name = ANY(@names::text[]);

-- What journeys and people have given, and what a person holds back.
-- name: SumGiven :many
SELECT c.id, coalesce(c.score_state->>'held', '')::text AS held,
    coalesce((SELECT sum(s.points) FROM score_changes s WHERE s.contact_id = c.id), 0)::bigint AS points
FROM contacts c WHERE c.id = ANY(@contact_ids::uuid[]);

-- name: ListEarningEvents :many
SELECT * FROM events
WHERE contact_id = @contact_id AND name = ANY(@names::text[]) AND name <> '' AND received_at <= @at
ORDER BY occurred_at DESC, seq DESC;

-- name: ListGivenUntil :many
SELECT * FROM score_changes WHERE contact_id = @contact_id AND at <= @until ORDER BY journal_id DESC;

-- What a history needs of events and points: as ListScoredEvents, with when each was known.
-- name: ListScoredEventsOf :many
SELECT name, occurred_at, received_at,
    (CASE WHEN name = ANY(@conditional::text[]) THEN properties END)::jsonb AS properties,
    (CASE WHEN name = ANY(@conditional::text[]) THEN context END)::jsonb AS context
FROM events
WHERE contact_id = @contact_id AND name = ANY(@names::text[]) AND name <> '' AND received_at <= @until;

-- name: ListGivenOf :many
SELECT points, reason, at FROM score_changes WHERE contact_id = @contact_id AND at <= @until ORDER BY journal_id;

-- The model that counted at a moment and all that came after it, the newest first.
-- name: ListModelsSince :many
SELECT * FROM scoring_models m
WHERE m.version >= coalesce((SELECT max(o.version) FROM scoring_models o WHERE o.published_at <= @since), 0)
ORDER BY m.version DESC LIMIT @max_rows;

-- name: ListTraitChanges :many
SELECT properties, received_at FROM events WHERE contact_id = @contact_id AND type = 'identify' AND name = '' ORDER BY occurred_at, seq;

-- name: FindScoredCompany :one
SELECT group_id, traits, score, updated_at FROM companies WHERE id = @id;

-- name: NewestObjectOfType :one
SELECT fields, updated_at FROM objects
WHERE type = @type AND (contact_id = @contact_id OR company_id = sqlc.narg('company_id')::uuid)
ORDER BY updated_at DESC, id LIMIT 1;

-- name: ListContactsFrom :many
SELECT * FROM contacts WHERE id > @after ORDER BY id LIMIT @max_rows;

-- name: SetScore :exec
UPDATE contacts SET score_state = @score_state, score = @score, updated_at = @now WHERE id = @id;

-- name: ListStageDecisions :many
SELECT outcome, coalesce(detail->>'from', '')::text AS came_from, reason, at FROM decisions
WHERE contact_id = @contact_id AND kind = 'stage' ORDER BY journal_id;

-- name: RulesRevision :one
SELECT revision FROM rules;

-- name: RaiseRules :exec
UPDATE rules SET revision = revision + 1, walked_to = NULL;

-- name: ListLiveSegments :many
SELECT key, condition, filled_at FROM segments WHERE deleted_at IS NULL ORDER BY key;

-- name: NewestScoringModel :one
SELECT * FROM scoring_models ORDER BY version DESC LIMIT 1;

-- name: LockedCompany :many
SELECT g.id, g.group_id, g.traits, g.score FROM contacts c JOIN companies g ON g.id = c.company_id WHERE c.id = @id;

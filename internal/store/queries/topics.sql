-- name: ListTopics :many
SELECT * FROM topics WHERE key > @after ORDER BY key LIMIT @max_rows;

-- name: FindTopic :one
SELECT * FROM topics WHERE key = @key;

-- name: SaveTopic :one
INSERT INTO topics (key, name, description, opt_in, updated_at) VALUES (@key, @name, @description, @opt_in, @now)
ON CONFLICT (key) DO UPDATE SET name = excluded.name, description = excluded.description, opt_in = excluded.opt_in, updated_at = excluded.updated_at
RETURNING *;

-- What a request that is not confirmed yet says changes no permission that there is.
-- name: AskConsent :execrows
INSERT INTO consents (contact_id, topic, granted, source, at, pending) VALUES (@contact_id, @topic, false, @source, @at, true)
ON CONFLICT (contact_id, topic) DO UPDATE SET source = excluded.source, at = excluded.at, pending = true WHERE NOT consents.granted;

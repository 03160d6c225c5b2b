-- name: FindSnippet :one
SELECT * FROM snippets WHERE key = @key ORDER BY version DESC LIMIT 1;

-- name: FindSnippets :many
SELECT DISTINCT ON (key) * FROM snippets WHERE key = ANY(@keys::text[]) ORDER BY key, version DESC;

-- name: ListSnippets :many
SELECT DISTINCT ON (key) * FROM snippets WHERE key > @after ORDER BY key, version DESC LIMIT @max_rows;

-- name: InsertSnippet :one
INSERT INTO snippets (key, version, hash, document, uses, updated_at)
SELECT @key, coalesce(max(version), 0)::integer + 1, @hash, @document, @uses::text[], @now FROM snippets WHERE key = @key
RETURNING *;

-- name: DeleteSnippet :execrows
DELETE FROM snippets WHERE key = @key;

-- name: ListTemplatesUsing :many
SELECT * FROM (SELECT DISTINCT ON (key) * FROM templates ORDER BY key, version DESC) newest WHERE newest.uses && @keys::text[] ORDER BY key;

-- name: ListSnippetsUsing :many
SELECT newest.key FROM (SELECT DISTINCT ON (key) key, uses FROM snippets ORDER BY key, version DESC) newest WHERE newest.uses && @keys::text[] ORDER BY newest.key;

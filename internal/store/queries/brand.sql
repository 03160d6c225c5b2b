-- name: FindBrand :one
SELECT * FROM brand;

-- name: LockBrand :exec
SELECT pg_advisory_xact_lock(@class, 0);

-- name: SaveBrand :one
INSERT INTO brand (revision, document, updated_at) VALUES (1, @document, @now)
ON CONFLICT (one) DO UPDATE SET revision = brand.revision + 1, document = excluded.document, updated_at = excluded.updated_at
RETURNING *;

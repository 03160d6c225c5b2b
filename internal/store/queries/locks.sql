-- name: LockMigrations :exec
SELECT pg_advisory_lock(@key::bigint);

-- name: UnlockMigrations :exec
SELECT pg_advisory_unlock(@key::bigint);

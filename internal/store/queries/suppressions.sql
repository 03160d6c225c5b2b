-- Readers of an address's suppression share this lock until they commit; the writer takes it alone. So a message is claimed either before
-- the suppression commits, or sees it. The lock is taken in a statement of its own: a statement sees what was committed before it began.
-- name: LockAddressShared :exec
SELECT pg_advisory_xact_lock_shared(@class, hashtext(@email_key::text));

-- name: LockAddress :exec
SELECT pg_advisory_xact_lock(@class, hashtext(@email_key::text));

-- The first reason stays.
-- name: InsertSuppression :execrows
INSERT INTO suppressions (email_key, reason, at) VALUES (@email_key, @reason, @at) ON CONFLICT (email_key) DO NOTHING;

-- name: IsWithdrawn :one
SELECT EXISTS (SELECT 1 FROM consents WHERE contact_id = @contact_id AND topic = ANY(@topics::text[]) AND NOT granted) AS withdrawn;

-- name: UpsertConsent :exec
INSERT INTO consents (contact_id, topic, granted, source, at) VALUES (@contact_id, @topic, @granted, @source, @at)
ON CONFLICT (contact_id, topic) DO UPDATE SET granted = excluded.granted, source = excluded.source, at = excluded.at;

-- name: ListConsents :many
SELECT * FROM consents WHERE contact_id = @contact_id ORDER BY topic;

-- name: FindSuppression :one
SELECT * FROM suppressions WHERE email_key = @email_key;

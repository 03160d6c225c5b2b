-- Readers of an address's suppression share this lock until they commit; the writer takes it alone. So a message is claimed either before
-- the suppression commits, or sees it. The lock is taken in a statement of its own: a statement sees what was committed before it began.
-- name: LockAddressShared :exec
SELECT pg_advisory_xact_lock_shared(@class, hashtext(@email_key::text));

-- name: LockAddress :exec
SELECT pg_advisory_xact_lock(@class, hashtext(@email_key::text));

-- The first reason stays.
-- name: InsertSuppression :execrows
INSERT INTO suppressions (email_key, reason, at) VALUES (@email_key, @reason, @at) ON CONFLICT (email_key) DO NOTHING;

-- Why the contact gets no mail of a topic; empty when it does. A topic that has to be asked for is withheld until somebody has said yes.
-- name: FindRefusal :one
SELECT (CASE
    WHEN EXISTS (SELECT 1 FROM consents a WHERE a.contact_id = @contact_id AND a.topic IN ('marketing', @topic::text) AND NOT a.granted AND NOT a.pending) THEN 'unsubscribed'
    WHEN EXISTS (SELECT 1 FROM consents b WHERE b.contact_id = @contact_id AND b.topic = @topic AND b.pending)
        OR EXISTS (SELECT 1 FROM topics t WHERE t.key = @topic AND t.opt_in)
        AND NOT EXISTS (SELECT 1 FROM consents d WHERE d.contact_id = @contact_id AND d.topic = @topic AND d.granted) THEN 'no_consent'
    ELSE '' END)::text AS reason;

-- name: IsWithdrawn :one
SELECT EXISTS (SELECT 1 FROM consents WHERE contact_id = @contact_id AND topic = @topic AND NOT granted) AS withdrawn;

-- name: UpsertConsent :exec
INSERT INTO consents (contact_id, topic, granted, source, at) VALUES (@contact_id, @topic, @granted, @source, @at)
ON CONFLICT (contact_id, topic) DO UPDATE SET granted = excluded.granted, source = excluded.source, at = excluded.at, pending = false;

-- name: ListConsents :many
SELECT * FROM consents WHERE contact_id = @contact_id ORDER BY topic;

-- name: FindSuppression :one
SELECT * FROM suppressions WHERE email_key = @email_key;

-- The newest first.
-- name: ListSuppressions :many
SELECT * FROM suppressions WHERE (@reason::text = '' OR reason = @reason) AND id < @before ORDER BY id DESC LIMIT @max_rows;

-- name: AddSuppression :execrows
INSERT INTO suppressions (email_key, reason, at, added_by) VALUES (@email_key, @reason, @at, @added_by) ON CONFLICT (email_key) DO NOTHING;

-- name: RemoveSuppression :execrows
DELETE FROM suppressions WHERE email_key = @email_key;

-- name: FindErasure :one
SELECT * FROM erasures WHERE id = @id;

-- name: FindErasureOfContact :one
SELECT * FROM erasures WHERE contact_id = @contact_id;

-- name: InsertErasure :one
INSERT INTO erasures (id, contact_id, state, addresses, workflows, requested_at)
VALUES (@id, @contact_id, 'requested', @addresses, @workflows, @now)
RETURNING *;

-- name: LockErasure :one
SELECT * FROM erasures WHERE id = @id FOR UPDATE;

-- name: ListOpenErasures :many
SELECT * FROM erasures WHERE state <> 'done' ORDER BY requested_at, id LIMIT @max_rows;

-- name: UpdateErasure :one
UPDATE erasures SET state = @state, addresses = @addresses, workflows = @workflows, counts = @counts,
    deleted_at = sqlc.narg('deleted_at'), done_at = sqlc.narg('done_at')
WHERE id = @id RETURNING *;

-- Every address that anything about the contact tells.
-- name: ListAddresses :many
SELECT address::text AS address FROM (
    SELECT email AS address FROM contacts c WHERE c.id = @contact_id
    UNION SELECT traits ->> 'email' FROM contacts c WHERE c.id = @contact_id
    UNION SELECT value FROM identities i WHERE i.contact_id = @contact_id AND i.kind = 'email'
    UNION SELECT to_address FROM messages m WHERE m.contact_id = @contact_id
    UNION SELECT properties ->> 'email' FROM events e WHERE e.contact_id = @contact_id AND e.type = 'identify'
) a WHERE address IS NOT NULL AND address <> '' ORDER BY 1;

-- name: ListContactHandoffIDs :many
SELECT id FROM handoffs WHERE contact_id = @contact_id ORDER BY id;

-- name: ListMergedInto :many
SELECT from_id FROM merges WHERE into_id = @into_id ORDER BY from_id;

-- name: InsertErasedAddress :exec
INSERT INTO erased_addresses (hmac, at) VALUES (@hmac, @at) ON CONFLICT (hmac) DO NOTHING;

-- name: IsErased :one
SELECT EXISTS (SELECT 1 FROM erased_addresses WHERE hmac = @hmac);

-- name: DeleteSuppressions :execrows
DELETE FROM suppressions WHERE email_key = ANY(@email_keys::text[]);

-- Of messages that are not known, by the address that they name.
-- name: EraseMailReports :execrows
DELETE FROM mail_reports r WHERE r.email_key = ANY(@email_keys::text[]) OR r.message_id IN (SELECT m.id FROM messages m WHERE m.contact_id = @contact_id);

-- name: EraseEvents :execrows
DELETE FROM events WHERE contact_id = @contact_id;

-- name: EraseDecisions :execrows
DELETE FROM decisions WHERE contact_id = @contact_id;

-- name: EraseMessages :execrows
DELETE FROM messages WHERE contact_id = @contact_id;

-- name: EraseHandoffs :execrows
DELETE FROM handoffs WHERE contact_id = @contact_id;

-- name: EraseScoreChanges :execrows
DELETE FROM score_changes WHERE contact_id = @contact_id;

-- name: EraseEnrollments :execrows
DELETE FROM enrollments WHERE contact_id = @contact_id;

-- name: EraseConsents :execrows
DELETE FROM consents WHERE contact_id = @contact_id;

-- name: EraseIdentities :execrows
DELETE FROM identities WHERE contact_id = @contact_id;

-- name: EraseObjects :execrows
DELETE FROM objects WHERE contact_id = @contact_id;

-- name: EraseMemberships :execrows
DELETE FROM segment_members WHERE contact_id = @contact_id;

-- name: EraseMerges :execrows
DELETE FROM merges WHERE into_id = @contact_id;

-- What there is to know about an address in one look: why it is suppressed, and, once a contact has been erased, the key of the hashes by
-- which the addresses of erased contacts are known.
-- name: FindStanding :one
SELECT coalesce((SELECT s.reason FROM suppressions s WHERE s.email_key = @email_key), '')::text AS reason,
    coalesce((SELECT x.value FROM secrets x WHERE x.name = 'erasure'), ''::bytea)::bytea AS erasure_key;

-- name: FindErasedAddress :one
SELECT * FROM erased_addresses WHERE hmac = @hmac;

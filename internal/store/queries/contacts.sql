-- name: FindContact :one
SELECT * FROM contacts WHERE id = @id;

-- name: FindContactByIdentity :one
SELECT c.* FROM contacts c JOIN identities i ON i.contact_id = c.id WHERE i.kind = @kind AND i.value = @value;

-- The lock that orders everything about one contact. NO KEY: it excludes every other holder of this lock and every update of the row, and
-- still lets rows that refer to the contact be checked against it.
-- name: LockContact :one
SELECT * FROM contacts WHERE id = @id FOR NO KEY UPDATE;

-- name: ListStalePending :many
SELECT id FROM contacts WHERE pending_since IS NOT NULL AND pending_since <= @before::timestamptz ORDER BY pending_since, id LIMIT @max_rows;

-- name: ParkContact :exec
UPDATE contacts SET interests = @interests, trigger_seq = greatest(trigger_seq, @trigger_seq), pending_since = NULL WHERE id = @id;

-- name: MarkContactPending :exec
UPDATE contacts SET pending_since = @now::timestamptz WHERE id = @id;

-- name: UpdateContactTraits :one
UPDATE contacts SET
    traits     = (traits || @set_traits::jsonb) - @removed_traits::text[],
    email      = sqlc.narg('email'),
    email_key  = sqlc.narg('email_key'),
    timezone   = sqlc.narg('timezone'),
    locale     = sqlc.narg('locale'),
    told_at    = greatest(told_at, @now),
    updated_at = @now
WHERE id = @id
RETURNING *;

-- name: LinkFreeIdentity :exec
INSERT INTO identities (kind, value, contact_id) VALUES (@kind, @value, @contact_id) ON CONFLICT (kind, value) DO NOTHING;

-- name: SetContactStage :exec
UPDATE contacts SET stage = @stage, updated_at = @now WHERE id = @id;

-- Who is found by the beginning of an address, a user id or a name, in this order, each in the order of what is looked for. Somebody whom
-- two of them find comes once. The page before ended with (arm, key, id). ~>=~ and ~<~ compare bytes, as the indexes do: a LIKE with a
-- parameter would not use them.
-- name: SearchContacts :many
SELECT f.arm::int AS arm, f.key::text AS key, f.id FROM (
    (SELECT 1 AS arm, c.email_key AS key, c.id FROM contacts c
     WHERE @arm::int <= 1 AND c.email_key ~>=~ CASE WHEN @arm = 1 THEN @after_key::text ELSE @low::text END AND c.email_key ~<~ @high::text
        AND (@arm < 1 OR c.email_key ~>~ @after_key OR c.id > @after_id::uuid)
        AND (@stage::text = '' OR c.stage = @stage)
        AND (@segment::text = '' OR EXISTS (SELECT 1 FROM segment_members m WHERE m.segment = @segment AND m.contact_id = c.id))
     ORDER BY c.email_key USING ~<~, c.id LIMIT @max_rows)
    UNION ALL
    (SELECT 2, lower(c.user_id), c.id FROM contacts c
     WHERE @arm <= 2 AND c.user_id IS NOT NULL
        AND lower(c.user_id) ~>=~ CASE WHEN @arm = 2 THEN @after_key ELSE @low END AND lower(c.user_id) ~<~ @high
        AND (@arm < 2 OR lower(c.user_id) ~>~ @after_key OR c.id > @after_id)
        AND NOT coalesce(c.email_key ~>=~ @low AND c.email_key ~<~ @high, false)
        AND (@stage = '' OR c.stage = @stage)
        AND (@segment = '' OR EXISTS (SELECT 1 FROM segment_members m WHERE m.segment = @segment AND m.contact_id = c.id))
     ORDER BY lower(c.user_id) USING ~<~, c.id LIMIT @max_rows)
    UNION ALL
    (SELECT 3, c.person_key, c.id FROM contacts c
     WHERE @arm <= 3 AND c.person_key ~>=~ CASE WHEN @arm = 3 THEN @after_key ELSE @low END AND c.person_key ~<~ @high
        AND (@arm < 3 OR c.person_key ~>~ @after_key OR c.id > @after_id)
        AND NOT coalesce(c.email_key ~>=~ @low AND c.email_key ~<~ @high, false)
        AND NOT coalesce(lower(c.user_id) ~>=~ @low AND lower(c.user_id) ~<~ @high, false)
        AND (@stage = '' OR c.stage = @stage)
        AND (@segment = '' OR EXISTS (SELECT 1 FROM segment_members m WHERE m.segment = @segment AND m.contact_id = c.id))
     ORDER BY c.person_key USING ~<~, c.id LIMIT @max_rows)
    UNION ALL
    (SELECT 4, c.family_key, c.id FROM contacts c
     WHERE @arm <= 4 AND c.family_key ~>=~ CASE WHEN @arm = 4 THEN @after_key ELSE @low END AND c.family_key ~<~ @high
        AND (@arm < 4 OR c.family_key ~>~ @after_key OR c.id > @after_id)
        AND NOT coalesce(c.email_key ~>=~ @low AND c.email_key ~<~ @high, false)
        AND NOT coalesce(lower(c.user_id) ~>=~ @low AND lower(c.user_id) ~<~ @high, false)
        AND NOT coalesce(c.person_key ~>=~ @low AND c.person_key ~<~ @high, false)
        AND (@stage = '' OR c.stage = @stage)
        AND (@segment = '' OR EXISTS (SELECT 1 FROM segment_members m WHERE m.segment = @segment AND m.contact_id = c.id))
     ORDER BY c.family_key USING ~<~, c.id LIMIT @max_rows)
    UNION ALL
    (SELECT 5, c.name_key, c.id FROM contacts c
     WHERE c.name_key ~>=~ CASE WHEN @arm = 5 THEN @after_key ELSE @low END AND c.name_key ~<~ @high
        AND (@arm < 5 OR c.name_key ~>~ @after_key OR c.id > @after_id)
        AND NOT coalesce(c.email_key ~>=~ @low AND c.email_key ~<~ @high, false)
        AND NOT coalesce(lower(c.user_id) ~>=~ @low AND lower(c.user_id) ~<~ @high, false)
        AND NOT coalesce(c.person_key ~>=~ @low AND c.person_key ~<~ @high, false)
        AND NOT coalesce(c.family_key ~>=~ @low AND c.family_key ~<~ @high, false)
        AND (@stage = '' OR c.stage = @stage)
        AND (@segment = '' OR EXISTS (SELECT 1 FROM segment_members m WHERE m.segment = @segment AND m.contact_id = c.id))
     ORDER BY c.name_key USING ~<~, c.id LIMIT @max_rows)
) f ORDER BY f.arm, f.key USING ~<~, f.id LIMIT @max_rows;

-- Ids grow with time: the newest contacts are the last.
-- name: ListNewestContacts :many
SELECT * FROM contacts WHERE id < @before ORDER BY id DESC LIMIT @max_rows;

-- name: ListNewestOfStage :many
SELECT * FROM contacts WHERE stage = @stage AND id < @before ORDER BY id DESC LIMIT @max_rows;

-- name: ListNewestOfSegment :many
SELECT sqlc.embed(c), m.entered_at
FROM segment_members m JOIN contacts c ON c.id = m.contact_id
WHERE m.segment = @segment AND (m.entered_at, m.contact_id) < (@before_at::timestamptz, @before_id::uuid) AND (@stage::text = '' OR c.stage = @stage)
ORDER BY m.entered_at DESC, m.contact_id DESC LIMIT @max_rows;

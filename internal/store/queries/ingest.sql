-- Ingestion: these run as two pipelined round trips a batch (see ingest.go). Arrays of the same length stand for rows.

-- name: FindIdentities :many
SELECT kind, value, contact_id FROM identities
WHERE (kind, value) IN (SELECT unnest(@kinds::text[]), unnest(@values::text[]));

-- In the order of ids, so that two batches can't wait for each other.
-- name: LockContacts :many
SELECT * FROM contacts
WHERE id IN (
    SELECT unnest(@ids::uuid[])
    UNION
    SELECT contact_id FROM identities WHERE (kind, value) IN (SELECT unnest(@kinds::text[]), unnest(@values::text[]))
)
ORDER BY id FOR NO KEY UPDATE;

-- name: LockContactsByID :many
SELECT * FROM contacts WHERE id = ANY(@ids::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- Runs after the lock: then it sees what a batch before this one has committed.
-- name: FindAccepted :many
SELECT e.source, e.message_id, e.id, e.contact_id, e.seq, c.pending_since
FROM events e JOIN contacts c ON c.id = e.contact_id
WHERE (e.source, e.message_id) IN (SELECT unnest(@sources::text[]), unnest(@message_ids::text[]));

-- Runs after the lock, too. What Throughline itself notes may follow from any event.
-- name: FilterTriggerNames :many
SELECT DISTINCT event_name FROM triggers
WHERE event_name = ANY(@names::text[]) OR event_name ^@ 'Segment Entered: ' OR event_name ^@ 'Segment Left: ' OR event_name ^@ 'Stage Entered: ';

-- name: InsertIdentities :exec
INSERT INTO identities (kind, value, contact_id)
SELECT unnest(@kinds::text[]), unnest(@values::text[]), unnest(@contact_ids::uuid[]);

-- name: InsertContacts :exec
INSERT INTO contacts (id, user_id, email, email_key, traits, timezone, locale, stage, score, score_state, company_id, segments, recheck_at,
    last_seq, pending_since, created_at, updated_at, told_at, email_verdict, email_reasons, email_check_at)
SELECT u.id, nullif(u.user_id, ''), nullif(u.email, ''), nullif(u.email_key, ''), u.set_traits::jsonb, nullif(u.timezone, ''), nullif(u.locale, ''),
    u.stage, u.score, u.score_state::jsonb, CASE WHEN u.group_id <> '' THEN (SELECT g.id FROM companies g WHERE g.group_id = u.group_id) END,
    string_to_array(u.segments, ','), u.recheck_at, u.last_seq, CASE WHEN u.pending THEN @now::timestamptz END, @now, @now, u.told_at,
    u.email_verdict, string_to_array(u.email_reasons, ','), u.email_check_at
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@user_ids::text[]) AS user_id, unnest(@emails::text[]) AS email,
    unnest(@email_keys::text[]) AS email_key, unnest(@set_traits::text[]) AS set_traits, unnest(@timezones::text[]) AS timezone,
    unnest(@locales::text[]) AS locale, unnest(@stages::text[]) AS stage, unnest(@scores::integer[]) AS score,
    unnest(@score_states::text[]) AS score_state, unnest(@group_ids::text[]) AS group_id, unnest(@segments::text[]) AS segments,
    unnest(@recheck_ats::timestamptz[]) AS recheck_at, unnest(@last_seqs::bigint[]) AS last_seq, unnest(@pending::boolean[]) AS pending,
    unnest(@told_ats::timestamptz[]) AS told_at, unnest(@email_verdicts::text[]) AS email_verdict, unnest(@email_reasons::text[]) AS email_reasons,
    unnest(@email_check_ats::timestamptz[]) AS email_check_at) u;

-- name: UpdateContacts :exec
UPDATE contacts c SET
    user_id       = nullif(u.user_id, ''),
    email         = nullif(u.email, ''),
    email_key     = nullif(u.email_key, ''),
    traits        = CASE WHEN u.set_traits = '{}' AND u.removed_traits = '[]' THEN c.traits
                    ELSE (c.traits || u.set_traits::jsonb) - ARRAY(SELECT jsonb_array_elements_text(u.removed_traits::jsonb)) END,
    timezone      = nullif(u.timezone, ''),
    locale        = nullif(u.locale, ''),
    stage         = u.stage,
    score         = u.score,
    score_state   = u.score_state::jsonb,
    company_id    = CASE WHEN u.group_id = '' THEN c.company_id ELSE (SELECT g.id FROM companies g WHERE g.group_id = u.group_id) END,
    segments      = string_to_array(u.segments, ','),
    recheck_at    = u.recheck_at,
    last_seq      = u.last_seq,
    pending_since = CASE WHEN u.pending THEN @now::timestamptz ELSE c.pending_since END,
    updated_at    = CASE WHEN u.changed THEN @now::timestamptz ELSE c.updated_at END,
    told_at       = u.told_at,
    email_verdict  = u.email_verdict,
    email_reasons  = string_to_array(u.email_reasons, ','),
    email_check_at = u.email_check_at
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@user_ids::text[]) AS user_id, unnest(@emails::text[]) AS email,
    unnest(@email_keys::text[]) AS email_key, unnest(@set_traits::text[]) AS set_traits, unnest(@removed_traits::text[]) AS removed_traits,
    unnest(@timezones::text[]) AS timezone, unnest(@locales::text[]) AS locale, unnest(@stages::text[]) AS stage,
    unnest(@scores::integer[]) AS score, unnest(@score_states::text[]) AS score_state, unnest(@group_ids::text[]) AS group_id,
    unnest(@segments::text[]) AS segments, unnest(@recheck_ats::timestamptz[]) AS recheck_at, unnest(@last_seqs::bigint[]) AS last_seq,
    unnest(@pending::boolean[]) AS pending, unnest(@changed::boolean[]) AS changed, unnest(@told_ats::timestamptz[]) AS told_at,
    unnest(@email_verdicts::text[]) AS email_verdict, unnest(@email_reasons::text[]) AS email_reasons,
    unnest(@email_check_ats::timestamptz[]) AS email_check_at) u
WHERE c.id = u.id;

-- name: InsertEvents :exec
INSERT INTO events (id, contact_id, seq, source, message_id, type, name, properties, context, occurred_at, received_at)
SELECT unnest(@ids::uuid[]), unnest(@contact_ids::uuid[]), unnest(@seqs::bigint[]), unnest(@sources::text[]), unnest(@message_ids::text[]),
    unnest(@types::text[]), unnest(@names::text[]), unnest(@properties::text[])::jsonb, nullif(unnest(@contexts::text[]), '')::jsonb,
    unnest(@occurred_ats::timestamptz[]), @now::timestamptz;

-- What was said about contacts of later moments than one.
-- name: ListTold :many
SELECT contact_id, type, properties, occurred_at FROM events
WHERE contact_id = ANY(@contact_ids::uuid[]) AND name = '' AND type IN ('identify', 'group') AND occurred_at > @since;

-- name: InsertImport :one
INSERT INTO imports (id, name, kind, event, mapping, dry_run, state, created_at, updated_at)
VALUES (@id, @name, @kind, @event, @mapping, @dry_run, 'running', @now, @now)
RETURNING *;

-- name: FindImport :one
SELECT * FROM imports WHERE id = @id;

-- name: ListImports :many
SELECT * FROM imports
WHERE (created_at, id) < (@before_time::timestamptz, @before_id::uuid)
ORDER BY created_at DESC, id DESC LIMIT @max_rows;

-- Only from where the batch began: of two uploads of the file that run side by side, one loses here, and every row counts once.
-- name: AdvanceImport :one
UPDATE imports SET
    read_rows = read_rows + @read_rows, accepted = accepted + @accepted, duplicates = duplicates + @duplicates, rejected = rejected + @rejected,
    created = created + @created, problems = problems + @problems,
    file_line = @file_line, file_offset = @file_offset, digest = @digest, updated_at = @now
WHERE id = @id AND state = 'running' AND file_offset = @from_offset
RETURNING problems;

-- name: InsertImportProblems :exec
INSERT INTO import_problems (import_id, number, file_line, column_name, code, message)
SELECT @import_id, unnest(@numbers::bigint[]), unnest(@lines::bigint[]), unnest(@columns::text[]), unnest(@codes::text[]), unnest(@messages::text[]);

-- name: EndImport :one
UPDATE imports SET state = @state, failure = @failure, updated_at = @now, done_at = @now::timestamptz
WHERE id = @id AND state = 'running'
RETURNING *;

-- name: ListImportProblems :many
SELECT * FROM import_problems WHERE import_id = @import_id AND number > @after ORDER BY number LIMIT @max_rows;

-- What a file tells about since when somebody has been a contact only ever moves that back. Time alone may then change segments: the clock
-- looks at these contacts next. Locked in the order of ids, as everywhere.
-- name: SetContactsSince :exec
WITH told AS (
    SELECT unnest(@ids::uuid[]) AS id, unnest(@sinces::timestamptz[]) AS since
), locked AS (
    SELECT c.id FROM contacts c JOIN told ON told.id = c.id WHERE c.created_at > told.since ORDER BY c.id FOR NO KEY UPDATE OF c
)
UPDATE contacts c SET created_at = told.since, recheck_at = @now::timestamptz, updated_at = @now
FROM told JOIN locked ON locked.id = told.id WHERE c.id = told.id AND c.created_at > told.since;

-- name: ExportContacts :many
SELECT * FROM contacts WHERE id > @after ORDER BY id LIMIT @max_rows;

-- name: ExportSegmentContacts :many
SELECT c.* FROM segment_members m JOIN contacts c ON c.id = m.contact_id
WHERE m.segment = @segment AND m.contact_id > @after ORDER BY m.contact_id LIMIT @max_rows;

-- name: ExportSegmentExists :one
SELECT EXISTS (SELECT 1 FROM segments WHERE key = @key);

-- name: ExportTraitNames :many
SELECT DISTINCT jsonb_object_keys(c.traits)::text AS name FROM contacts c
WHERE @segment::text = '' OR EXISTS (SELECT 1 FROM segment_members m WHERE m.segment = @segment AND m.contact_id = c.id)
ORDER BY name LIMIT @max_rows;

-- For dry runs: who is known already, without a lock.
-- name: FindKnownPeople :many
SELECT i.kind, i.value, c.user_id FROM identities i JOIN contacts c ON c.id = i.contact_id
WHERE (i.kind, i.value) IN (SELECT unnest(@kinds::text[]), unnest(@values::text[]));

-- More domains than max_kept are counted together. The import's row is locked by whoever adds.
-- name: AddImportAddresses :exec
WITH given AS (
    SELECT unnest(@domains::text[]) AS domain, unnest(@reasons::text[]) AS reasons, unnest(@counts::bigint[]) AS counted
), kept AS (
    SELECT count(*) AS n FROM import_addresses WHERE import_id = @import_id
), placed AS (
    SELECT CASE WHEN kept.n < @max_kept::bigint OR EXISTS (
        SELECT 1 FROM import_addresses a WHERE a.import_id = @import_id AND a.domain = given.domain AND a.reasons = string_to_array(given.reasons, ','))
        THEN given.domain ELSE '' END AS domain, string_to_array(given.reasons, ',') AS reasons, given.counted
    FROM given, kept
)
INSERT INTO import_addresses (import_id, domain, reasons, file_rows)
SELECT @import_id, domain, reasons, sum(counted)::bigint FROM placed GROUP BY domain, reasons
ON CONFLICT (import_id, domain, reasons) DO UPDATE SET file_rows = import_addresses.file_rows + excluded.file_rows;

-- name: SumImportAddresses :many
SELECT a.reasons, coalesce(d.state, 'unknown') AS state, sum(a.file_rows)::bigint AS file_rows
FROM import_addresses a LEFT JOIN mail_domains d ON d.domain = a.domain
WHERE a.import_id = @import_id GROUP BY 1, 2;

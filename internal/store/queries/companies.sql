-- Companies. Whoever needs a contact's lock and a company's takes the contact's first, as ingestion does.

-- name: FindCompany :one
SELECT * FROM companies WHERE id = @id;

-- name: FindCompanyByGroup :one
SELECT * FROM companies WHERE group_id = @group_id;

-- The newest first: ids grow with time.
-- name: ListCompanies :many
SELECT * FROM companies WHERE id < @before::uuid ORDER BY id DESC LIMIT @max_rows;

-- name: ListCompanyMembers :many
SELECT * FROM contacts WHERE company_id = @company_id::uuid AND id > @after::uuid ORDER BY id LIMIT @max_rows;

-- name: InsertCompany :execrows
INSERT INTO companies (id, group_id, traits, created_at, updated_at) VALUES (@id, @group_id, @traits, @now, @now)
ON CONFLICT (group_id) DO NOTHING;

-- name: LockCompany :one
SELECT * FROM companies WHERE group_id = @group_id FOR NO KEY UPDATE;

-- name: SetCompanyTraits :one
UPDATE companies SET traits = @traits, told_at = told_at || @told_at::jsonb, updated_at = @now::timestamptz, changed_at = @now WHERE id = @id RETURNING *;

-- name: LockCompanyToDelete :one
SELECT id FROM companies WHERE group_id = @group_id FOR UPDATE;

-- Members are locked in the order of ids, as everywhere.
-- name: ReleaseMembers :exec
UPDATE contacts SET company_id = NULL, recheck_at = @now::timestamptz
WHERE id IN (SELECT c.id FROM contacts c WHERE c.company_id = @company_id::uuid ORDER BY c.id FOR NO KEY UPDATE);

-- name: DeleteCompany :exec
DELETE FROM companies WHERE id = @id;

-- name: TouchCompany :exec
UPDATE companies SET changed_at = @now::timestamptz WHERE id = @id;

-- name: RecheckOwner :exec
UPDATE contacts SET recheck_at = @now::timestamptz WHERE id = ANY(@ids::uuid[]) AND (recheck_at IS NULL OR recheck_at > @now);

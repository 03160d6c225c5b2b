-- name: InsertHandoff :one
INSERT INTO handoffs (id, contact_id, enrollment_id, journey, step_id, visit, status, why, score, stage, owner, reason, amount, due_at, created_at, updated_at)
VALUES (@id, @contact_id, @enrollment_id, @journey, @step_id, @visit, @status, @why, @score, @stage, @owner, @reason, @amount, @due_at, @created_at, @updated_at)
ON CONFLICT DO NOTHING
RETURNING *;

-- name: FindHandoff :one
SELECT * FROM handoffs WHERE id = @id;

-- name: FindContactHandoff :one
SELECT * FROM handoffs WHERE contact_id = @contact_id AND id = @id;

-- name: FindHandoffByStep :one
SELECT * FROM handoffs WHERE contact_id = @contact_id AND enrollment_id = @enrollment_id::uuid AND step_id = @step_id AND visit = @visit;

-- name: UpdateHandoff :one
UPDATE handoffs SET status = @status, owner = @owner, reason = @reason, amount = @amount, due_at = @due_at, updated_at = @updated_at
WHERE contact_id = @contact_id AND id = @id AND status = ANY(@from_statuses::text[])
RETURNING id;

-- name: ListHandoffs :many
SELECT * FROM handoffs WHERE (@status::text = '' OR status = @status) AND journal_id < @before ORDER BY journal_id DESC LIMIT @max_rows;

-- name: ListHandoffsByJournal :many
SELECT * FROM handoffs WHERE contact_id = @contact_id AND journal_id = ANY(@journal_ids::bigint[]);

-- name: InsertScoreChange :one
INSERT INTO score_changes (contact_id, points, reason, enrollment_id, step_id, visit, score_after, at)
VALUES (@contact_id, @points, @reason, @enrollment_id, @step_id, @visit, @score_after, @at)
ON CONFLICT (enrollment_id, step_id, visit) DO NOTHING
RETURNING score_after;

-- name: FindScoreChange :one
SELECT * FROM score_changes WHERE contact_id = @contact_id AND enrollment_id = @enrollment_id::uuid AND step_id = @step_id AND visit = @visit;

-- name: ListScoreChangesByJournal :many
SELECT * FROM score_changes WHERE contact_id = @contact_id AND journal_id = ANY(@journal_ids::bigint[]);

-- name: ListRecentScoreChanges :many
SELECT * FROM score_changes WHERE contact_id = @contact_id ORDER BY journal_id DESC LIMIT @max_rows;

-- name: ListContactHandoffs :many
SELECT * FROM handoffs WHERE contact_id = @contact_id ORDER BY journal_id DESC LIMIT @max_rows;

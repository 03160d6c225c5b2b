-- name: InsertDecision :one
INSERT INTO decisions (enrollment_id, contact_id, journey, step_id, visit, kind, outcome, reason, detail, at)
VALUES (@enrollment_id, @contact_id, @journey, @step_id, @visit, @kind, @outcome, @reason, @detail, @at)
ON CONFLICT (enrollment_id, step_id, visit, kind) DO NOTHING
RETURNING *;

-- name: FindDecision :one
SELECT * FROM decisions
WHERE contact_id = @contact_id AND enrollment_id = @enrollment_id::uuid AND step_id = @step_id AND visit = @visit AND kind = @kind;

-- name: ListDecisionsByJournal :many
SELECT * FROM decisions WHERE contact_id = @contact_id AND journal_id = ANY(@journal_ids::bigint[]);

-- name: FindLastRefusal :one
SELECT * FROM decisions WHERE contact_id = @contact_id AND journey = @journey AND kind = 'not_entered' ORDER BY journal_id DESC LIMIT 1;

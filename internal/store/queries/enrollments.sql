-- name: InsertEnrollment :one
INSERT INTO enrollments (id, contact_id, journey, version, hash, state, step, reason, trigger_event_id, entered_seq, entered_at, wake_at, ended_at)
VALUES (@id, @contact_id, @journey, @version, @hash, @state, @step, @reason, @trigger_event_id, @entered_seq, @entered_at, @wake_at, @ended_at)
ON CONFLICT DO NOTHING
RETURNING *;

-- name: FindEnrollment :one
SELECT * FROM enrollments WHERE contact_id = @contact_id AND id = @id;

-- name: FindEnrollmentByTrigger :one
SELECT * FROM enrollments WHERE contact_id = @contact_id AND journey = @journey AND trigger_event_id = @trigger_event_id::uuid;

-- name: ListOpenEnrollments :many
SELECT * FROM enrollments WHERE contact_id = @contact_id AND ended_at IS NULL ORDER BY entered_at, id;

-- name: FindLastEnrollment :one
SELECT * FROM enrollments WHERE contact_id = @contact_id AND journey = @journey ORDER BY entered_at DESC, id DESC LIMIT 1;

-- name: UpdateEnrollment :one
UPDATE enrollments SET state = @state, step = @step, reason = @reason, wake_at = @wake_at, ended_at = @ended_at
WHERE contact_id = @contact_id AND id = @id AND ended_at IS NULL
RETURNING id;

-- name: ListContactEnrollments :many
SELECT * FROM enrollments WHERE contact_id = @contact_id ORDER BY entered_at DESC, id DESC LIMIT @max_rows;

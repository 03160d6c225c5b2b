-- Mails that count against a cap: those that went out, may have gone out, or are about to.
-- name: ListCountedMessages :many
SELECT created_at, coalesce(sent_at, updated_at)::timestamptz AS at, topic FROM messages
WHERE contact_id = @contact_id AND created_at >= @since AND class = 'marketing' AND state NOT IN ('skipped', 'failed', 'rejected')
ORDER BY created_at;

-- Who has moved on since waits no more: then the enrollment's row speaks of another moment. What waits for sales takes no room from others.
-- name: ListHeldBefore :many
SELECT h.topic FROM held_sends h JOIN enrollments e ON e.id = h.enrollment_id
WHERE e.contact_id = @contact_id AND e.ended_at IS NULL AND e.wake_at = h.held_until AND h.enrollment_id <> @enrollment_id AND h.priority > @priority
    AND h.reason <> 'with_sales';

-- name: HoldSend :exec
INSERT INTO held_sends (enrollment_id, topic, priority, held_until, reason) VALUES (@enrollment_id, @topic, @priority, @held_until, @reason)
ON CONFLICT (enrollment_id) DO UPDATE SET topic = excluded.topic, priority = excluded.priority, held_until = excluded.held_until, reason = excluded.reason;

-- name: ReleaseSend :exec
DELETE FROM held_sends WHERE enrollment_id = @enrollment_id;

-- name: FindHold :one
SELECT reason FROM held_sends WHERE enrollment_id = @enrollment_id;

-- name: IsWithSales :one
SELECT EXISTS (SELECT 1 FROM handoffs WHERE contact_id = @contact_id AND status IN ('open', 'accepted')) AS with_sales;

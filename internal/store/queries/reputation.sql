-- What became of the mails of journeys of which something bad was reported lately. A journey that somebody has resumed is judged by what came since.
-- name: ListReputations :many
WITH bad AS (
    SELECT DISTINCT m.journey FROM deliveries d JOIN messages m ON m.id = d.message_id
    WHERE d.created_at > @since AND (d.delivery = 'complained' OR d.bounce = 'hard') AND m.class = 'marketing' AND m.journey <> ''
)
SELECT m.journey, count(*) AS mails, count(*) FILTER (WHERE m.delivery = 'complained') AS complaints, count(*) FILTER (WHERE m.bounce = 'hard') AS hard_bounces
FROM bad JOIN messages m ON m.journey = bad.journey JOIN journeys j ON j.key = m.journey
WHERE m.class = 'marketing' AND m.state IN ('sent', 'rejected') AND coalesce(m.sent_at, m.updated_at) > greatest(@since::timestamptz, j.resumed_at) AND j.paused_at IS NULL
GROUP BY m.journey ORDER BY m.journey;

-- name: FindOpenPause :one
SELECT paused_by FROM journey_pauses WHERE journey = @journey AND resumed_at IS NULL;

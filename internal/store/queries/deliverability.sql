-- name: FindDeliverabilityCheck :one
SELECT at, report FROM deliverability_check;

-- Of two that were made at the same time, the later one is kept.
-- name: SaveDeliverabilityCheck :exec
INSERT INTO deliverability_check (at, report) VALUES (@at, @report)
ON CONFLICT (id) DO UPDATE SET at = excluded.at, report = excluded.report WHERE deliverability_check.at <= excluded.at;

-- Mails that a server took, or refused for good, by journey and by the domain that they went to.
-- name: CountMails :many
SELECT journey, class, lower(split_part(to_address, '@', 2))::text AS domain, count(*) AS mails, count(*) FILTER (WHERE delivery = 'delivered') AS delivered,
    count(*) FILTER (WHERE bounce = 'hard') AS hard_bounces, count(*) FILTER (WHERE delivery = 'bounced' AND bounce <> 'hard') AS other_bounces,
    count(*) FILTER (WHERE delivery = 'complained') AS complaints
FROM messages WHERE created_at > @since AND state IN ('sent', 'rejected')
GROUP BY 1, 2, 3;

-- name: CountSuppressions :many
SELECT reason, count(*) AS addresses FROM suppressions GROUP BY reason ORDER BY count(*) DESC, reason;

-- name: CountUnmatchedReports :one
SELECT count(*) FROM mail_reports WHERE state = 'unmatched';

-- name: FindMailDomains :many
SELECT domain, state, good_until FROM mail_domains WHERE domain = ANY(@domains::text[]) AND good_until > @now;

-- That a domain takes mail is not forgotten because nobody answers for a while. What spoke against it is: it has to be said again.
-- name: SaveMailDomain :one
INSERT INTO mail_domains (domain, state, checked_at, good_until) VALUES (@domain, @state, @now, @good_until)
ON CONFLICT (domain) DO UPDATE SET
    state = CASE WHEN excluded.state = 'unknown' AND mail_domains.state = 'mail' THEN 'mail' ELSE excluded.state END,
    checked_at = excluded.checked_at, good_until = excluded.good_until
RETURNING state;

-- name: ListDueAddresses :many
SELECT id, email_key FROM contacts WHERE email_check_at <= @now::timestamptz ORDER BY email_check_at LIMIT @max_rows;

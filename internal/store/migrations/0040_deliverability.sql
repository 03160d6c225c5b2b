-- How mail is taken by those who receive it.

-- +goose Up

-- What the last look at SPF, DKIM and the rest has found.
CREATE TABLE deliverability_check (
    id     integer PRIMARY KEY DEFAULT 1, -- there is one
    at     timestamptz NOT NULL,
    report json NOT NULL,
    CONSTRAINT deliverability_check_one CHECK (id = 1)
);

-- Messages lie in the order in which they were made, so that a few pages of ranges find those of the last days.
CREATE INDEX messages_made ON messages USING brin (created_at) WITH (pages_per_range = 32);

CREATE INDEX mail_reports_unmatched ON mail_reports (received_at) WHERE state = 'unmatched';

-- +goose Down

DROP INDEX mail_reports_unmatched;
DROP INDEX messages_made;
DROP TABLE deliverability_check;

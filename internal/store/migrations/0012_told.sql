-- When something was said about somebody decides, not when it arrived: retries and several senders change the order of arrival.

-- +goose Up

-- The newest moment of which something was said (identify, group). What was said of an earlier one has to be fitted in between.
ALTER TABLE contacts ADD COLUMN told_at timestamptz;

UPDATE contacts c SET told_at = (SELECT max(e.occurred_at) FROM events e WHERE e.contact_id = c.id AND e.name = '' AND e.type IN ('identify', 'group'));

-- By trait, of which moment its value is, in microseconds since 1970. Companies have no journal of their own.
ALTER TABLE companies ADD COLUMN told_at jsonb NOT NULL DEFAULT '{}';

-- +goose Down

ALTER TABLE companies DROP COLUMN told_at;
ALTER TABLE contacts DROP COLUMN told_at;

-- What was reported of messages after they were handed over, and the reports themselves.

-- +goose Up

-- The newest word on a message. What counts as newer is decided by email.Reported.Outweighs.
ALTER TABLE messages
    ADD COLUMN delivery      text NOT NULL DEFAULT '',
    ADD COLUMN bounce        text NOT NULL DEFAULT '',
    ADD COLUMN delivery_code text NOT NULL DEFAULT '',
    ADD COLUMN delivery_at   timestamptz,
    ADD CONSTRAINT messages_delivery CHECK (delivery IN ('', 'delayed', 'delivered', 'bounced', 'complained')),
    ADD CONSTRAINT messages_bounce CHECK (bounce IN ('', 'hard', 'soft', 'block') AND (bounce <> '') = (delivery = 'bounced')),
    ADD CONSTRAINT messages_delivery_has_time CHECK ((delivery <> '') = (delivery_at IS NOT NULL));

-- Each report as it came, once: also those of unknown types, and of messages that are not ours.
CREATE TABLE mail_reports (
    id          uuid PRIMARY KEY,
    source      text NOT NULL, -- smtp, mail, or a provider
    dedupe_key  text NOT NULL,
    message_id  uuid REFERENCES messages (id) ON DELETE CASCADE, -- null: of no message that we know
    email_key   text NOT NULL DEFAULT '', -- whom it names: an erasure deletes by it
    state       text NOT NULL,
    raw         bytea NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT mail_reports_once UNIQUE (source, dedupe_key),
    CONSTRAINT mail_reports_state CHECK (state IN ('applied', 'ignored', 'unmatched'))
);

CREATE INDEX mail_reports_message ON mail_reports (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX mail_reports_email ON mail_reports (email_key) WHERE email_key <> '';

-- What reports said, one row each: a place in the contact's timeline.
CREATE TABLE deliveries (
    journal_id bigint PRIMARY KEY DEFAULT nextval('journal'),
    report_id  uuid NOT NULL REFERENCES mail_reports (id) ON DELETE CASCADE,
    message_id uuid NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    email_key  text NOT NULL,
    delivery   text NOT NULL,
    bounce     text NOT NULL DEFAULT '',
    code       text NOT NULL DEFAULT '',
    suppressed boolean NOT NULL DEFAULT false, -- the address has been suppressed because of it
    at         timestamptz NOT NULL, -- by the clock of who reported
    created_at timestamptz NOT NULL,
    CONSTRAINT deliveries_delivery CHECK (delivery IN ('delayed', 'delivered', 'bounced', 'complained')),
    CONSTRAINT deliveries_bounce CHECK (bounce IN ('', 'hard', 'soft', 'block') AND (bounce <> '') = (delivery = 'bounced'))
);

CREATE INDEX deliveries_message ON deliveries (message_id, journal_id);
CREATE INDEX deliveries_report ON deliveries (report_id);
CREATE INDEX deliveries_soft ON deliveries (email_key, created_at) WHERE bounce = 'soft';

-- +goose Down

DROP TABLE deliveries;
DROP TABLE mail_reports;
ALTER TABLE messages
    DROP COLUMN delivery,
    DROP COLUMN bounce,
    DROP COLUMN delivery_code,
    DROP COLUMN delivery_at;

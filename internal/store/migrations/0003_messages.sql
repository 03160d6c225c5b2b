-- The ledger of messages, and what they are made from.

-- +goose Up

-- Each row is a version of a template; the newest is sent. json, not jsonb: the text that was hashed.
CREATE TABLE templates (
    key        text NOT NULL,
    version    integer NOT NULL,
    hash       text NOT NULL,
    document   json NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (key, version),
    CONSTRAINT templates_version_positive CHECK (version > 0)
);

CREATE TABLE messages (
    id               uuid PRIMARY KEY,
    contact_id       uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    enrollment_id    uuid REFERENCES enrollments (id) ON DELETE CASCADE,
    journey          text NOT NULL DEFAULT '',
    version          integer NOT NULL DEFAULT 0,
    step_id          text NOT NULL DEFAULT '',
    visit            integer NOT NULL DEFAULT 0,
    template         text NOT NULL,
    template_version integer NOT NULL,
    class            text NOT NULL,
    state            text NOT NULL,
    reason           text NOT NULL DEFAULT '',
    to_address       text NOT NULL,
    subject          text NOT NULL,
    html             text NOT NULL,
    text             text NOT NULL,
    raw              bytea NOT NULL, -- the very bytes that every attempt sends
    message_id       text NOT NULL,
    attempt          integer NOT NULL DEFAULT 0,
    fence            bigint NOT NULL DEFAULT 0, -- grows with each claim: a late writer shows an old one and loses
    lease_until      timestamptz,
    resends          integer NOT NULL DEFAULT 0, -- claims after an unknown fate
    smtp_code        integer NOT NULL DEFAULT 0,
    enhanced_code    text NOT NULL DEFAULT '',
    smtp_reply       text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    sent_at          timestamptz,
    journal_id       bigint NOT NULL DEFAULT nextval('journal'),
    CONSTRAINT messages_once UNIQUE (enrollment_id, step_id, visit),
    CONSTRAINT messages_class CHECK (class IN ('marketing', 'transactional')),
    CONSTRAINT messages_state CHECK (state IN ('queued', 'sending', 'sent', 'deferred', 'rejected', 'unknown', 'skipped', 'failed')),
    CONSTRAINT messages_sending_has_lease CHECK ((state = 'sending') = (lease_until IS NOT NULL)),
    CONSTRAINT messages_sent_has_time CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
    CONSTRAINT messages_unsent_has_reason CHECK (state NOT IN ('skipped', 'failed') OR reason <> ''),
    CONSTRAINT messages_claimed_is_fenced CHECK (fence >= attempt AND attempt >= 0),
    -- A marketing mail whose fate is unknown is never sent again; a transactional one is, once.
    CONSTRAINT messages_resends CHECK (resends = 0 OR (class = 'transactional' AND resends = 1))
);

CREATE INDEX messages_timeline ON messages (contact_id, journal_id);
CREATE INDEX messages_sending ON messages (lease_until) WHERE state = 'sending';

-- Subjects made by a model, by what they were made from: the same question is asked, and paid for, once.
CREATE TABLE generated_subjects (
    key     text PRIMARY KEY,
    subject text NOT NULL,
    at      timestamptz NOT NULL
);

-- +goose Down
DROP TABLE generated_subjects;
DROP TABLE messages;
DROP TABLE templates;

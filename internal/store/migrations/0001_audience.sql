-- Whom we talk to and what they did.

-- +goose Up

-- One sequence for everything that a contact's timeline shows. Numbers are taken under the contact's row lock, so within one contact
-- they grow in the order of commit: the order of the timeline.
CREATE SEQUENCE journal;

CREATE TABLE contacts (
    id            uuid PRIMARY KEY,
    user_id       text UNIQUE,
    email         text,
    email_key     text, -- the address as it is compared: trimmed, lower case
    traits        jsonb NOT NULL DEFAULT '{}',
    timezone      text,
    locale        text,
    stage         text NOT NULL DEFAULT 'subscriber',
    score         integer NOT NULL DEFAULT 0,
    last_seq      bigint NOT NULL DEFAULT 0, -- the number of the contact's newest event
    trigger_seq   bigint NOT NULL DEFAULT 0, -- how far the journey has read events for triggers
    pending_since timestamptz, -- set: the journey has something to read and was, or has to be, poked
    interests     text[] NOT NULL DEFAULT '{}', -- the event names that parked enrollments wait for
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    CONSTRAINT contacts_email_has_key CHECK ((email IS NULL) = (email_key IS NULL)),
    CONSTRAINT contacts_traits_object CHECK (jsonb_typeof(traits) = 'object'),
    CONSTRAINT contacts_stage_named CHECK (stage <> ''),
    CONSTRAINT contacts_last_seq_positive CHECK (last_seq >= 0)
) WITH (fillfactor = 80); -- every event updates the row: room on the page keeps these updates out of the indexes

CREATE INDEX contacts_email_key ON contacts (email_key) WHERE email_key IS NOT NULL;
CREATE INDEX contacts_pending ON contacts (pending_since) WHERE pending_since IS NOT NULL;

-- Who is who. A row never moves to another contact. The foreign key is checked at commit because ingestion takes the identity first and
-- makes the contact after: identities are the one place where two batches that make the same contact meet.
CREATE TABLE identities (
    kind       text NOT NULL,
    value      text NOT NULL,
    contact_id uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (kind, value),
    CONSTRAINT identities_kind CHECK (kind IN ('user_id', 'anonymous_id', 'email')),
    CONSTRAINT identities_value_length CHECK (octet_length(value) BETWEEN 1 AND 1000)
);

CREATE INDEX identities_contact ON identities (contact_id);

-- No foreign key to contacts: a row is only ever written under its contact's row lock, this is the busiest table, and the check would
-- cost a lookup a row.
CREATE TABLE events (
    id          uuid PRIMARY KEY,
    contact_id  uuid NOT NULL,
    seq         bigint NOT NULL,
    source      text NOT NULL, -- the key that brought it in
    message_id  text NOT NULL,
    type        text NOT NULL,
    name        text NOT NULL, -- empty for identify
    properties  jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    journal_id  bigint NOT NULL DEFAULT nextval('journal'),
    CONSTRAINT events_message UNIQUE (source, message_id),
    CONSTRAINT events_seq UNIQUE (contact_id, seq) INCLUDE (journal_id), -- the timeline reads the pair from the index alone
    CONSTRAINT events_seq_positive CHECK (seq > 0),
    CONSTRAINT events_type CHECK (type IN ('track', 'identify', 'signal')),
    CONSTRAINT events_named CHECK ((type = 'identify') = (name = '')),
    CONSTRAINT events_properties_object CHECK (jsonb_typeof(properties) = 'object')
);

-- Serves did(), count() and last(): all of them ask for one name of one contact.
CREATE INDEX events_name ON events (contact_id, name, seq) INCLUDE (occurred_at);

CREATE TABLE suppressions (
    email_key text PRIMARY KEY,
    reason    text NOT NULL,
    at        timestamptz NOT NULL
);

-- No row: granted.
CREATE TABLE consents (
    contact_id uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    topic      text NOT NULL,
    granted    boolean NOT NULL,
    source     text NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (contact_id, topic)
);

-- +goose Down
DROP TABLE consents;
DROP TABLE suppressions;
DROP TABLE events;
DROP TABLE identities;
DROP TABLE contacts;
DROP SEQUENCE journal;

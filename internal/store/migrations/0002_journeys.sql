-- Journeys, their frozen versions, who is in them, and what was decided.

-- +goose Up

-- Documents are json, not jsonb: a version is the very text that was hashed, and jsonb rewrites numbers and the order of keys.
CREATE TABLE journeys (
    key            text PRIMARY KEY,
    draft          json NOT NULL,
    draft_problems jsonb NOT NULL DEFAULT '[]',
    revision       bigint NOT NULL,
    live_version   integer, -- null: never published
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT journeys_revision_positive CHECK (revision > 0)
);

CREATE TABLE journey_versions (
    journey      text NOT NULL REFERENCES journeys (key),
    number       integer NOT NULL,
    hash         text NOT NULL,
    document     json NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (journey, number),
    CONSTRAINT journey_versions_hash UNIQUE (journey, hash),
    CONSTRAINT journey_versions_number_positive CHECK (number > 0)
);

CREATE INDEX journey_versions_by_hash ON journey_versions (hash);

ALTER TABLE journeys ADD CONSTRAINT journeys_live_version
    FOREIGN KEY (key, live_version) REFERENCES journey_versions (journey, number);

-- The triggers of live versions: what makes an event of a contact without interests wake its journey.
CREATE TABLE triggers (
    event_name text NOT NULL,
    journey    text NOT NULL REFERENCES journeys (key),
    live_since timestamptz NOT NULL, -- events before it enroll nobody; a trigger that survives a publish keeps it
    PRIMARY KEY (event_name, journey)
);

CREATE TABLE enrollments (
    id               uuid PRIMARY KEY,
    contact_id       uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    journey          text NOT NULL,
    version          integer NOT NULL,
    hash             text NOT NULL,
    state            text NOT NULL,
    step             text NOT NULL DEFAULT '',
    reason           text NOT NULL DEFAULT '',
    trigger_event_id uuid, -- null: enrolled by the API without an idempotency key
    entered_seq      bigint NOT NULL,
    entered_at       timestamptz NOT NULL,
    wake_at          timestamptz,
    ended_at         timestamptz,
    FOREIGN KEY (journey, version) REFERENCES journey_versions (journey, number),
    CONSTRAINT enrollments_state CHECK (state IN ('active', 'waiting', 'completed', 'exited', 'failed', 'cancelled')),
    CONSTRAINT enrollments_final_has_end CHECK ((state IN ('completed', 'exited', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT enrollments_only_waiting_wakes CHECK (wake_at IS NULL OR state = 'waiting')
);

CREATE UNIQUE INDEX enrollments_trigger ON enrollments (contact_id, journey, trigger_event_id) WHERE trigger_event_id IS NOT NULL;
CREATE INDEX enrollments_newest ON enrollments (contact_id, journey, entered_at);
CREATE INDEX enrollments_open ON enrollments (contact_id) WHERE ended_at IS NULL;

CREATE TABLE decisions (
    journal_id    bigint PRIMARY KEY DEFAULT nextval('journal'),
    enrollment_id uuid REFERENCES enrollments (id) ON DELETE CASCADE, -- null: about the contact, not about an enrollment
    contact_id    uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    journey       text NOT NULL DEFAULT '',
    step_id       text NOT NULL DEFAULT '',
    visit         integer NOT NULL DEFAULT 0,
    kind          text NOT NULL,
    outcome       text NOT NULL,
    reason        text NOT NULL DEFAULT '',
    detail        jsonb,
    at            timestamptz NOT NULL,
    CONSTRAINT decisions_once UNIQUE (enrollment_id, step_id, visit, kind),
    CONSTRAINT decisions_kind_named CHECK (kind <> '')
);

CREATE INDEX decisions_timeline ON decisions (contact_id, journal_id);

-- +goose Down
DROP TABLE decisions;
DROP TABLE enrollments;
DROP TABLE triggers;
ALTER TABLE journeys DROP CONSTRAINT journeys_live_version;
DROP TABLE journey_versions;
DROP TABLE journeys;

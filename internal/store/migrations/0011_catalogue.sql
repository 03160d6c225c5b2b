-- The catalogue: which events, properties and traits come in, what is done with them, and the declared types of objects.

-- +goose Up

CREATE TABLE event_names (
    name          text PRIMARY KEY,
    count         bigint NOT NULL DEFAULT 0,
    first_seen    timestamptz, -- null: never seen, only decided about
    last_seen     timestamptz,
    renamed_to    text,
    blocked       boolean NOT NULL DEFAULT false,
    blocked_count bigint NOT NULL DEFAULT 0,
    CONSTRAINT event_names_one_rule CHECK (NOT (blocked AND renamed_to IS NOT NULL)),
    CONSTRAINT event_names_not_itself CHECK (renamed_to <> name)
) WITH (fillfactor = 70); -- counted up every second

CREATE INDEX event_names_rules ON event_names (name) WHERE blocked OR renamed_to IS NOT NULL;

CREATE TABLE event_properties (
    event    text NOT NULL,
    property text NOT NULL,
    type     text NOT NULL,
    count    bigint NOT NULL,
    samples  text[] NOT NULL DEFAULT '{}', -- the newest first; only values that several contacts share
    PRIMARY KEY (event, property, type)
) WITH (fillfactor = 70);

CREATE TABLE trait_names (
    name       text PRIMARY KEY,
    declared   text,
    mismatches bigint NOT NULL DEFAULT 0,
    first_seen timestamptz,
    last_seen  timestamptz,
    CONSTRAINT trait_names_declared CHECK (declared IN ('number', 'text', 'boolean', 'time'))
) WITH (fillfactor = 70);

CREATE INDEX trait_names_declared ON trait_names (name) WHERE declared IS NOT NULL;

CREATE TABLE trait_types (
    trait   text NOT NULL,
    type    text NOT NULL,
    count   bigint NOT NULL,
    samples text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (trait, type)
) WITH (fillfactor = 70);

CREATE TABLE object_types (
    type       text PRIMARY KEY,
    fields     jsonb NOT NULL, -- name to type
    updated_at timestamptz NOT NULL,
    CONSTRAINT object_types_fields_object CHECK (jsonb_typeof(fields) = 'object')
);

-- What came in before there was a catalogue. Properties and samples are learnt from what comes next.
INSERT INTO event_names (name, count, first_seen, last_seen)
SELECT name, count(*), min(received_at), max(received_at) FROM events
WHERE name <> '' AND type <> 'system' AND position('@' IN name) = 0 AND octet_length(name) <= 200
GROUP BY name ORDER BY count(*) DESC, name LIMIT 5000;

-- +goose Down
DROP TABLE object_types;
DROP TABLE trait_types;
DROP TABLE trait_names;
DROP TABLE event_properties;
DROP TABLE event_names;

-- Contacts that turned out to be one, and contacts that are no more.

-- +goose Up

-- Which contact went up into which. Of a chain every member names the last one, so one look is enough. Numbers are those of the contact
-- that is left: the event n of from_id is n + shift of into_id, and the last one that came along was upto.
CREATE TABLE merges (
    from_id uuid PRIMARY KEY,
    into_id uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    shift   bigint NOT NULL,
    upto    bigint NOT NULL,
    by      text NOT NULL, -- the kind of identity that showed it, or "api"
    at      timestamptz NOT NULL,
    CONSTRAINT merges_two CHECK (from_id <> into_id),
    CONSTRAINT merges_range CHECK (shift >= 0 AND upto >= shift)
);

CREATE INDEX merges_into ON merges (into_id, shift);

-- Null: never moved to another contact. Else: up to this event its pause had looked before it moved.
ALTER TABLE enrollments ADD COLUMN scanned_seq bigint;

-- The proof that a contact was erased. Nothing in it says who it was.
CREATE TABLE erasures (
    id           uuid PRIMARY KEY,
    contact_id   uuid NOT NULL UNIQUE, -- an id that leads nowhere any more
    state        text NOT NULL,
    addresses    bytea[] NOT NULL, -- HMAC-SHA-256 of each address
    workflows    text[] NOT NULL DEFAULT '{}', -- the ids whose histories have to go; empty when done
    counts       jsonb NOT NULL DEFAULT '{}',
    requested_at timestamptz NOT NULL,
    deleted_at   timestamptz, -- the rows are gone
    done_at      timestamptz, -- the histories are gone too
    CONSTRAINT erasures_state CHECK (state IN ('requested', 'deleted', 'done')),
    CONSTRAINT erasures_times CHECK ((state = 'requested') = (deleted_at IS NULL) AND (state = 'done') = (done_at IS NOT NULL))
);

CREATE INDEX erasures_open ON erasures (requested_at) WHERE state <> 'done';

-- Addresses that stay suppressed although nobody knows them any more.
CREATE TABLE erased_addresses (
    hmac bytea PRIMARY KEY,
    at   timestamptz NOT NULL,
    CONSTRAINT erased_addresses_length CHECK (octet_length(hmac) = 32)
);

-- +goose Down
DROP TABLE erased_addresses;
DROP TABLE erasures;
ALTER TABLE enrollments DROP COLUMN scanned_seq;
DROP TABLE merges;

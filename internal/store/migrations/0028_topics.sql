-- What mail is about: recipients choose among topics.

-- +goose Up

CREATE TABLE topics (
    key         text PRIMARY KEY,
    name        text NOT NULL, -- recipients read it
    description text NOT NULL DEFAULT '',
    opt_in      boolean NOT NULL DEFAULT false, -- nobody gets it who has not asked for it, and confirmed that
    updated_at  timestamptz NOT NULL,
    CONSTRAINT topics_named CHECK (name <> '')
);

-- Asked for, and not confirmed yet: not granted.
ALTER TABLE consents
    ADD COLUMN pending boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT consents_pending_is_not_granted CHECK (NOT (pending AND granted));

-- +goose Down

ALTER TABLE consents DROP COLUMN pending; -- and the constraint with it
DROP TABLE topics;

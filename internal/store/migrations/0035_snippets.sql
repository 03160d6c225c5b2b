-- Pieces of text that templates share. Each save is a version, as a template's; templates show the newest.

-- +goose Up

CREATE TABLE snippets (
    key        text NOT NULL,
    version    integer NOT NULL,
    hash       text NOT NULL,
    document   json NOT NULL,
    uses       text[] NOT NULL, -- the snippets that it names
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (key, version),
    CONSTRAINT snippets_version_positive CHECK (version > 0)
);

ALTER TABLE templates ADD COLUMN uses text[] NOT NULL DEFAULT '{}';

-- +goose Down

ALTER TABLE templates DROP COLUMN uses;
DROP TABLE snippets;

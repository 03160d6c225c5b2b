-- The deployment itself: who may call it, and what it keeps to itself.

-- +goose Up

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,
    hash         bytea NOT NULL UNIQUE, -- SHA-256: keys are long and random, so no salt and no stretching
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    CONSTRAINT api_keys_hash_length CHECK (octet_length(hash) = 32)
);

CREATE TABLE secrets (
    name       text PRIMARY KEY,
    value      bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- +goose Down
DROP TABLE secrets;
DROP TABLE api_keys;

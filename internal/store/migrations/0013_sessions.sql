-- Who is logged in to the pages.

-- +goose Up

-- A session stands for a key: what the key may do, and not longer than the key is valid.
CREATE TABLE sessions (
    hash       bytea PRIMARY KEY, -- of the token that the browser has
    key_id     uuid NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_hash_length CHECK (octet_length(hash) = 32)
);

CREATE INDEX sessions_expired ON sessions (expires_at);

-- +goose Down

DROP TABLE sessions;

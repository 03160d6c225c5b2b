-- How fast mail may go to those who take it in.

-- +goose Up

-- A row for each provider that asked us to slow down, or has a limit.
CREATE TABLE provider_paces (
    provider      text PRIMARY KEY,             -- gmail, …, or a domain
    rate          double precision NOT NULL DEFAULT 0, -- mails a minute that were left when it asked last
    ceiling       double precision NOT NULL DEFAULT 0, -- that it rises back to
    slowed_at     timestamptz,                  -- when it asked last; null: never
    slow_downs    bigint NOT NULL DEFAULT 0,
    code          integer NOT NULL DEFAULT 0,   -- its reply, without the text: that may quote an address
    enhanced_code text NOT NULL DEFAULT '',
    next_turn     timestamptz NOT NULL,         -- all turns before it are taken
    CONSTRAINT provider_paces_rates CHECK (rate >= 0 AND ceiling >= rate)
);

-- Mails that wait for their turn. A row whose time has come means nothing any more.
CREATE TABLE message_waits (
    message_id uuid PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    provider   text NOT NULL,
    until      timestamptz NOT NULL
);

CREATE INDEX message_waits_provider ON message_waits (provider, until);

-- +goose Down

DROP TABLE message_waits;
DROP TABLE provider_paces;

-- Files that are imported: how far each has come, and what was wrong with its rows. Never a value of a row.

-- +goose Up

CREATE TABLE imports (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    kind        text NOT NULL,
    event       text NOT NULL, -- the name of every event; empty: a column says, or there are none
    mapping     jsonb NOT NULL,
    dry_run     boolean NOT NULL,
    state       text NOT NULL,
    failure     text NOT NULL DEFAULT '', -- why nothing was taken
    read_rows   bigint NOT NULL DEFAULT 0,
    accepted    bigint NOT NULL DEFAULT 0,
    duplicates  bigint NOT NULL DEFAULT 0,
    rejected    bigint NOT NULL DEFAULT 0,
    created     bigint NOT NULL DEFAULT 0, -- contacts that are new
    problems    bigint NOT NULL DEFAULT 0, -- also those that are not kept
    file_line   bigint NOT NULL DEFAULT 0, -- where to go on: line ends and bytes that are done, and their SHA-256
    file_offset bigint NOT NULL DEFAULT 0,
    digest      bytea,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    done_at     timestamptz,
    CONSTRAINT imports_kind CHECK (kind IN ('identify', 'track')),
    CONSTRAINT imports_state CHECK (state IN ('running', 'done', 'failed')),
    CONSTRAINT imports_ended CHECK ((state = 'running') = (done_at IS NULL)),
    CONSTRAINT imports_counts CHECK (accepted + duplicates + rejected = read_rows)
);

CREATE INDEX imports_newest ON imports (created_at, id);

CREATE TABLE import_problems (
    import_id   uuid NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    number      bigint NOT NULL, -- 1, 2, 3… in the order of lines
    file_line   bigint NOT NULL,
    column_name text NOT NULL,
    code        text NOT NULL,
    message     text NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- +goose Down
DROP TABLE import_problems;
DROP TABLE imports;

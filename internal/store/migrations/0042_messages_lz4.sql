-- The bodies of a mail are compressed when its row is written, within the transaction that claims it: lz4 takes a tenth of the time.

-- +goose Up

-- +goose StatementBegin
DO $$ BEGIN
    ALTER TABLE messages ALTER COLUMN html SET COMPRESSION lz4, ALTER COLUMN text SET COMPRESSION lz4, ALTER COLUMN raw SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL; -- this PostgreSQL was built without it
END $$;
-- +goose StatementEnd

-- +goose Down

ALTER TABLE messages ALTER COLUMN html SET COMPRESSION default, ALTER COLUMN text SET COMPRESSION default, ALTER COLUMN raw SET COMPRESSION default;

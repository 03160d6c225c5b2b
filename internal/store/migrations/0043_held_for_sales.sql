-- Why a send waits: one that waits for sales goes on when sales is done, not at a time.

-- +goose Up

ALTER TABLE held_sends ADD COLUMN reason text NOT NULL DEFAULT '';

-- +goose Down

ALTER TABLE held_sends DROP COLUMN reason;

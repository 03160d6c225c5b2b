-- +goose Up
ALTER TABLE messages ADD COLUMN locale text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN locale;

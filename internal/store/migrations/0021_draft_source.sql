-- What a draft was written as, with its comments and its order: the document is what it means.

-- +goose Up

ALTER TABLE journeys ADD COLUMN draft_source text; -- null: written before there was this column, or the document says it all

-- +goose Down

ALTER TABLE journeys DROP COLUMN draft_source;

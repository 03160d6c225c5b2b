-- Suppressions as a list that people keep: in an order that names nobody, and with who put an address there.

-- +goose Up

ALTER TABLE suppressions
    ADD COLUMN id       bigint NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE, -- the order in which they came, and the cursor of the list
    ADD COLUMN added_by text NOT NULL DEFAULT ''; -- the name of the API key; empty: reports of mail servers

-- +goose Down

ALTER TABLE suppressions DROP COLUMN id, DROP COLUMN added_by;

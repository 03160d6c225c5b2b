-- People who log in at a provider of theirs, without a key.

-- +goose Up

-- A session stands for a key, or for a person: what a person may do was decided when it logged in. The subject is a hash of what its provider
-- calls it; the name is what the pages show.
ALTER TABLE sessions
    ALTER COLUMN key_id DROP NOT NULL,
    ADD COLUMN subject text,
    ADD COLUMN name    text,
    ADD COLUMN scopes  text[],
    ADD CONSTRAINT sessions_of_a_key_or_a_person CHECK (
        (key_id IS NULL) = (subject IS NOT NULL) AND (subject IS NULL) = (name IS NULL) AND (subject IS NULL) = (scopes IS NULL));

-- +goose Down
DELETE FROM sessions WHERE key_id IS NULL; -- they log in again, with a key
ALTER TABLE sessions
    DROP COLUMN subject, DROP COLUMN name, DROP COLUMN scopes, -- and the constraint with them
    ALTER COLUMN key_id SET NOT NULL;

-- A scoring model may come back: what was published before and is published again is a new version with the same content.

-- +goose Up
ALTER TABLE scoring_models DROP CONSTRAINT scoring_models_hash_key;

-- The stage decisions of a contact, from which the clocks of its stages are read.
CREATE INDEX decisions_stages ON decisions (contact_id, journal_id) WHERE kind = 'stage';

-- +goose Down
DROP INDEX decisions_stages;
DELETE FROM scoring_models m WHERE EXISTS (SELECT 1 FROM scoring_models n WHERE n.hash = m.hash AND n.version > m.version);
ALTER TABLE scoring_models ADD CONSTRAINT scoring_models_hash_key UNIQUE (hash);

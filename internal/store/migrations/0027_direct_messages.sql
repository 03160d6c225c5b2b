-- Messages that the API asks for by themselves: they belong to no enrollment.

-- +goose Up

ALTER TABLE messages ADD COLUMN request_hash bytea; -- what was asked for: the same key with another request is a mistake

-- Those that somebody has to do something about.
CREATE INDEX messages_direct ON messages (updated_at) WHERE enrollment_id IS NULL AND state IN ('queued', 'sending', 'deferred', 'unknown');

-- +goose Down

DROP INDEX messages_direct;
ALTER TABLE messages DROP COLUMN request_hash;

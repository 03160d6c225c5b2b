-- Whether a journey is paused.

-- +goose Up

-- Paused: nobody moves and nothing is sent. Resumed: release_after is how far those who stand in the journey have been woken, by contact,
-- and null when all of them have.
ALTER TABLE journeys
    ADD COLUMN paused_at     timestamptz,
    ADD COLUMN resumed_at    timestamptz,
    ADD COLUMN release_after uuid,
    ADD CONSTRAINT journeys_paused_releases_nobody CHECK (paused_at IS NULL OR release_after IS NULL);

CREATE INDEX enrollments_inside ON enrollments (journey, contact_id) WHERE ended_at IS NULL; -- whom to wake

-- +goose Down
DROP INDEX enrollments_inside;
ALTER TABLE journeys DROP COLUMN paused_at, DROP COLUMN resumed_at, DROP COLUMN release_after;

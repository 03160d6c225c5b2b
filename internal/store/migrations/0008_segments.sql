-- Segments that are being taken away.

-- +goose Up

-- Set: the segment is gone for everybody; its row stays until its members have left, which the clock job sees to in small steps.
ALTER TABLE segments ADD COLUMN deleted_at timestamptz;

-- The members of a segment, the newest first.
CREATE INDEX segment_members_newest ON segment_members (segment, entered_at DESC, contact_id DESC);

-- +goose Down
DROP INDEX segment_members_newest;
DELETE FROM segments WHERE deleted_at IS NOT NULL;
ALTER TABLE segments DROP COLUMN deleted_at;

-- How often and when marketing mail may reach a contact, and who waits for it.

-- +goose Up

CREATE TABLE sending_policy (
    id         integer PRIMARY KEY DEFAULT 1, -- there is one
    document   json NOT NULL,
    revision   bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT sending_policy_one CHECK (id = 1),
    CONSTRAINT sending_policy_revision_positive CHECK (revision > 0)
);

ALTER TABLE messages ADD COLUMN topic text NOT NULL DEFAULT ''; -- empty: marketing as a whole

-- What a cap counts: the mails that a contact got, or may have got.
CREATE INDEX messages_counted ON messages (contact_id, created_at) WHERE class = 'marketing' AND state NOT IN ('skipped', 'failed', 'rejected');

-- Enrollments that stand at a send which may not go out yet. What waits with a higher priority takes room first.
CREATE TABLE held_sends (
    enrollment_id uuid PRIMARY KEY REFERENCES enrollments (id) ON DELETE CASCADE,
    topic         text NOT NULL,
    priority      integer NOT NULL,
    held_until    timestamptz NOT NULL
);

-- +goose Down

DROP TABLE held_sends;
DROP INDEX messages_counted;
ALTER TABLE messages DROP COLUMN topic;
DROP TABLE sending_policy;

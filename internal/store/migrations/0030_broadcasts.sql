-- Broadcasts: one mail to a segment, at one time.

-- +goose Up

CREATE TABLE broadcasts (
    id             uuid PRIMARY KEY,
    name           text NOT NULL,
    segment        text NOT NULL,
    document       json NOT NULL, -- the plan: template, variants, schedule, test…
    state          text NOT NULL DEFAULT 'draft',
    paused_from    text NOT NULL DEFAULT '', -- where a resume leads back to
    revision       bigint NOT NULL DEFAULT 1, -- of the plan
    opens_at       timestamptz, -- when the audience is gathered
    gathered_to    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- how far that is done
    gathered_at    timestamptz, -- since when it is complete
    tested_at      timestamptz, -- when the last mail of the tested share was settled
    winner         integer, -- the variant that the rest gets
    verdict        text NOT NULL DEFAULT '', -- why, in words
    pending_since  timestamptz, -- its workflow has something to read; set for long: nobody woke it
    changed_by     text NOT NULL DEFAULT '',
    started_at     timestamptz,
    ended_at       timestamptz,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT broadcasts_state CHECK (state IN ('draft', 'scheduled', 'running', 'deciding', 'paused', 'completed', 'cancelled')),
    CONSTRAINT broadcasts_paused_from CHECK ((state = 'paused') = (paused_from <> '') AND paused_from IN ('', 'scheduled', 'running', 'deciding')),
    CONSTRAINT broadcasts_draft_has_not_begun CHECK (state <> 'draft' OR started_at IS NULL),
    CONSTRAINT broadcasts_revision_positive CHECK (revision > 0)
);

CREATE INDEX broadcasts_open ON broadcasts (segment) WHERE ended_at IS NULL;
CREATE INDEX broadcasts_pending ON broadcasts (pending_since) WHERE pending_since IS NOT NULL;

-- Whom a broadcast is for, one row for each member of the segment. The id is that of the mail, made of broadcast and contact before there is
-- a mail: a batch that is done twice writes the same mail. Merged contacts may have two rows; who is asked for the second finds the first.
CREATE TABLE broadcast_recipients (
    message_id   uuid PRIMARY KEY,
    broadcast_id uuid NOT NULL REFERENCES broadcasts (id) ON DELETE CASCADE,
    contact_id   uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    part         text NOT NULL, -- all: sent by variants; test, rest: the rest waits for the winner; holdout: decided and withheld
    variant      integer, -- null: not decided yet
    state        text NOT NULL DEFAULT 'pending',
    reason       text NOT NULL DEFAULT '',
    due_at       timestamptz NOT NULL, -- when somebody has to look at it next
    begins_at    timestamptz NOT NULL, -- its time by the schedule
    decided_at   timestamptz, -- when its mail was written, or withheld: goals count from here
    CONSTRAINT broadcast_recipients_part CHECK (part IN ('all', 'test', 'rest', 'holdout')),
    CONSTRAINT broadcast_recipients_state CHECK (state IN ('pending', 'held', 'sending', 'sent', 'rejected', 'unknown', 'skipped', 'failed')),
    CONSTRAINT broadcast_recipients_nothing_has_reason CHECK (state NOT IN ('skipped', 'failed', 'held') OR reason <> '')
);

-- Who is next. Those of the rest stand apart: while the test runs there may be a million of them.
CREATE INDEX broadcast_recipients_due ON broadcast_recipients (broadcast_id, (part = 'rest'), due_at, message_id) WHERE state IN ('pending', 'held', 'sending');
CREATE INDEX broadcast_recipients_sending ON broadcast_recipients (broadcast_id) WHERE state = 'sending';
CREATE INDEX broadcast_recipients_contact ON broadcast_recipients (contact_id, broadcast_id);
CREATE INDEX broadcast_recipients_listed ON broadcast_recipients (broadcast_id, message_id);

-- +goose Down

DROP TABLE broadcast_recipients;
DROP TABLE broadcasts;

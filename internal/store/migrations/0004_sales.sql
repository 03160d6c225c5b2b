-- What marketing and sales share.

-- +goose Up

CREATE TABLE handoffs (
    id            uuid PRIMARY KEY,
    contact_id    uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    enrollment_id uuid REFERENCES enrollments (id) ON DELETE CASCADE,
    journey       text NOT NULL DEFAULT '',
    step_id       text NOT NULL DEFAULT '',
    visit         integer NOT NULL DEFAULT 0,
    status        text NOT NULL,
    why           text NOT NULL,
    score         integer NOT NULL,
    stage         text NOT NULL,
    owner         text NOT NULL DEFAULT '',
    reason        text NOT NULL DEFAULT '',
    amount        numeric(14, 2) NOT NULL DEFAULT 0,
    due_at        timestamptz,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    journal_id    bigint NOT NULL DEFAULT nextval('journal'),
    CONSTRAINT handoffs_once UNIQUE (enrollment_id, step_id, visit),
    CONSTRAINT handoffs_status CHECK (status IN ('open', 'accepted', 'rejected', 'won', 'lost', 'expired', 'cancelled')),
    CONSTRAINT handoffs_only_won_has_amount CHECK (amount = 0 OR (status = 'won' AND amount > 0))
);

CREATE INDEX handoffs_timeline ON handoffs (contact_id, journal_id);
CREATE INDEX handoffs_status ON handoffs (status, journal_id);

CREATE TABLE score_changes (
    journal_id    bigint PRIMARY KEY DEFAULT nextval('journal'),
    contact_id    uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    points        integer NOT NULL,
    reason        text NOT NULL,
    enrollment_id uuid REFERENCES enrollments (id) ON DELETE CASCADE,
    step_id       text NOT NULL DEFAULT '',
    visit         integer NOT NULL DEFAULT 0,
    score_after   integer NOT NULL,
    at            timestamptz NOT NULL,
    CONSTRAINT score_changes_once UNIQUE (enrollment_id, step_id, visit)
);

CREATE INDEX score_changes_timeline ON score_changes (contact_id, journal_id);

-- +goose Down
DROP TABLE score_changes;
DROP TABLE handoffs;

-- When journeys were paused: what "why?" and the timelines of those who stood in them tell.

-- +goose Up

-- A row for a journey's pause and not one for each contact: a million contacts are paused by one insert, and a timeline weaves in what was
-- paused around the contact's enrollments.
CREATE TABLE journey_pauses (
    journal_id bigint PRIMARY KEY DEFAULT nextval('journal'), -- its place in the timelines
    journey    text NOT NULL REFERENCES journeys (key),
    paused_at  timestamptz NOT NULL,
    resumed_at timestamptz, -- null: it is paused
    paused_by  text NOT NULL DEFAULT '',
    resumed_by text NOT NULL DEFAULT '',
    CONSTRAINT journey_pauses_in_order CHECK (resumed_at >= paused_at)
);

CREATE INDEX journey_pauses_of_journey ON journey_pauses (journey, paused_at);
CREATE UNIQUE INDEX journey_pauses_one_at_a_time ON journey_pauses (journey) WHERE resumed_at IS NULL;

INSERT INTO journey_pauses (journey, paused_at) SELECT key, paused_at FROM journeys WHERE paused_at IS NOT NULL;

-- +goose Down
DROP TABLE journey_pauses;

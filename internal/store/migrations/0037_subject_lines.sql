-- Generated subjects are sets of candidates, of which each earns its place; what was cached as one text per question is asked for anew.

-- +goose Up

CREATE TABLE subject_sets (
    id               uuid PRIMARY KEY,
    key              text NOT NULL, -- a hash of all that it is made from
    template         text NOT NULL,
    template_version integer NOT NULL,
    locale           text NOT NULL,
    segment          text NOT NULL,
    brief            text NOT NULL,
    written          text NOT NULL,
    state            text NOT NULL,
    reason           text NOT NULL DEFAULT '',
    wanted_at        timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CONSTRAINT subject_sets_key UNIQUE (key),
    CONSTRAINT subject_sets_state CHECK (state IN ('wanted', 'ready', 'failed')),
    CONSTRAINT subject_sets_failed_has_reason CHECK ((state = 'failed') = (reason <> ''))
);

CREATE INDEX subject_sets_of_template ON subject_sets (template, wanted_at DESC);
CREATE INDEX subject_sets_wanted ON subject_sets (wanted_at) WHERE state = 'wanted';

CREATE TABLE subject_lines (
    id         uuid PRIMARY KEY,
    set_id     uuid NOT NULL REFERENCES subject_sets (id) ON DELETE CASCADE,
    number     integer NOT NULL,
    text       text NOT NULL,
    state      text NOT NULL,
    reason     text NOT NULL DEFAULT '',
    words      text NOT NULL DEFAULT '',
    sent       bigint NOT NULL DEFAULT 0,
    clicked    bigint NOT NULL DEFAULT 0,
    weight     double precision NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL,
    CONSTRAINT subject_lines_number UNIQUE (set_id, number),
    CONSTRAINT subject_lines_state CHECK (state IN ('proposed', 'approved', 'rejected', 'refused', 'retired')),
    CONSTRAINT subject_lines_counts CHECK (number >= 0 AND clicked >= 0 AND sent >= clicked),
    CONSTRAINT subject_lines_weight CHECK (weight >= 0 AND weight <= 1),
    CONSTRAINT subject_lines_written_stays CHECK (number > 0 OR state = 'approved')
);

-- Which subject a mail got, or why there was no choice. It goes with the mail; the sums stay.
CREATE TABLE message_subjects (
    message_id uuid PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    set_id     uuid NOT NULL REFERENCES subject_sets (id) ON DELETE CASCADE,
    line_id    uuid REFERENCES subject_lines (id) ON DELETE CASCADE,
    reason     text NOT NULL DEFAULT '',
    at         timestamptz NOT NULL,
    counted    boolean NOT NULL DEFAULT false,
    CONSTRAINT message_subjects_chosen CHECK ((line_id IS NULL) = (reason <> ''))
);

CREATE INDEX message_subjects_due ON message_subjects (at) WHERE NOT counted;
CREATE INDEX message_subjects_of_set ON message_subjects (set_id, reason) WHERE reason <> '';

DROP TABLE generated_subjects;

-- +goose Down

CREATE TABLE generated_subjects (
    key     text PRIMARY KEY,
    subject text NOT NULL,
    at      timestamptz NOT NULL
);

DROP TABLE message_subjects;
DROP TABLE subject_lines;
DROP TABLE subject_sets;

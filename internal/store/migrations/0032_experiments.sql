-- Experiments that act: who was given what, once for each contact, and what has come of it.

-- +goose Up

-- What an experiment compares is its id: a hash of journey, step, arms and goal. So it goes on in every version that leaves those alone, and
-- changing them begins another one. Rows are made when the first contact comes, or when the journey is looked at after its publication.
CREATE TABLE experiments (
    id         text PRIMARY KEY,
    number     bigint NOT NULL DEFAULT nextval('journal'), -- its place in lists
    journey    text NOT NULL,
    step       text NOT NULL,
    design     jsonb NOT NULL, -- all that its id is made of
    automatic  boolean NOT NULL, -- the winner gets all new contacts as soon as it is decided
    thompson   boolean NOT NULL, -- weights are drawn from what was counted
    floor      integer NOT NULL, -- the percent that each arm is drawn for at least
    live       boolean NOT NULL, -- it is in a live version
    complete   boolean NOT NULL DEFAULT false, -- those who came before this table are in it
    begun_at   timestamptz NOT NULL,
    arms       jsonb NOT NULL DEFAULT '[]', -- entered, converted and expected of each, at looked_at
    looked_at  timestamptz,
    draw       integer NOT NULL DEFAULT 0, -- the newest of experiment_draws; 0: by the weights as written
    revision   bigint NOT NULL DEFAULT 1, -- grows with each choice of a winner
    winner     integer,
    winner_at  timestamptz,
    winner_by  text NOT NULL DEFAULT '',
    CONSTRAINT experiments_winner CHECK ((winner IS NULL) = (winner_at IS NULL))
);

CREATE INDEX experiments_newest ON experiments (number);

-- Contacts count once, however often they come. Those who were given the winner because it has won are here to keep it, and not counted.
CREATE TABLE experiment_contacts (
    experiment   text NOT NULL REFERENCES experiments (id),
    contact_id   uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    arm          integer NOT NULL,
    draw         integer NOT NULL,
    counted      boolean NOT NULL,
    at           timestamptz NOT NULL,
    looked       bigint NOT NULL, -- events up to this number are known not to reach the goal, where it has a condition
    converted_at timestamptz,
    PRIMARY KEY (experiment, contact_id)
);

CREATE INDEX experiment_contacts_of_contact ON experiment_contacts (contact_id);
CREATE INDEX experiment_contacts_open ON experiment_contacts (experiment, at) WHERE counted AND converted_at IS NULL;

CREATE TABLE experiment_draws (
    experiment text NOT NULL REFERENCES experiments (id),
    draw       integer NOT NULL,
    weights    jsonb NOT NULL, -- of a million, by arm
    seed       bigint NOT NULL,
    arms       jsonb NOT NULL, -- the counts that they were drawn from
    at         timestamptz NOT NULL,
    PRIMARY KEY (experiment, draw)
);

-- Who has chosen which arm, and when: all of it stays.
CREATE TABLE experiment_winners (
    experiment text NOT NULL REFERENCES experiments (id),
    revision   bigint NOT NULL,
    arm        integer NOT NULL,
    by         text NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (experiment, revision)
);

-- +goose Down
DROP TABLE experiment_winners;
DROP TABLE experiment_draws;
DROP TABLE experiment_contacts;
DROP TABLE experiments;

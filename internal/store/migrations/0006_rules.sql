-- What is kept current about a contact by every event: its score, its segments, its company. And the rules by which.

-- +goose Up

ALTER TABLE contacts
    ADD COLUMN score_state jsonb NOT NULL DEFAULT '{}', -- what events and traits have added up to; contacts.score is its worth at the last write
    ADD COLUMN company_id  uuid,
    ADD COLUMN segments    text[] NOT NULL DEFAULT '{}', -- the keys of segment_members, sorted: read with the row, under its lock
    ADD COLUMN recheck_at  timestamptz; -- when time alone may change a segment or a score: never later than that, perhaps earlier

UPDATE contacts SET score_state = jsonb_build_object('points', score) WHERE score <> 0;

CREATE INDEX contacts_recheck ON contacts (recheck_at) WHERE recheck_at IS NOT NULL;
CREATE INDEX contacts_company ON contacts (company_id) WHERE company_id IS NOT NULL;

ALTER TABLE events
    ADD COLUMN context jsonb, -- null: nothing was told about where it came from
    ADD COLUMN moved   boolean NOT NULL DEFAULT false, -- came with a merge and was read by a journey before: it counts, and starts nothing
    DROP CONSTRAINT events_type,
    DROP CONSTRAINT events_named,
    ADD CONSTRAINT events_type CHECK (type IN ('track', 'identify', 'page', 'screen', 'group', 'alias', 'signal', 'system')),
    ADD CONSTRAINT events_named CHECK ((type IN ('identify', 'group', 'alias')) = (name = ''));

CREATE TABLE companies (
    id         uuid PRIMARY KEY,
    group_id   text NOT NULL UNIQUE, -- as the product calls it
    traits     jsonb NOT NULL DEFAULT '{}',
    score      integer NOT NULL DEFAULT 0, -- the sum of its members' scores, a few seconds old at most
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_at timestamptz, -- set: the members have not been told yet that something about their company is another
    CONSTRAINT companies_traits_object CHECK (jsonb_typeof(traits) = 'object'),
    CONSTRAINT companies_group_id_length CHECK (octet_length(group_id) BETWEEN 1 AND 1000)
);

CREATE INDEX companies_changed ON companies (changed_at) WHERE changed_at IS NOT NULL;

ALTER TABLE contacts ADD CONSTRAINT contacts_company FOREIGN KEY (company_id) REFERENCES companies (id) ON DELETE SET NULL;

-- Custom objects: what a product knows besides people and companies.
CREATE TABLE objects (
    type       text NOT NULL,
    id         text NOT NULL, -- as the product calls it
    contact_id uuid REFERENCES contacts (id) ON DELETE CASCADE,
    company_id uuid REFERENCES companies (id) ON DELETE CASCADE,
    fields     jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (type, id),
    CONSTRAINT objects_fields_object CHECK (jsonb_typeof(fields) = 'object'),
    CONSTRAINT objects_one_owner CHECK (num_nonnulls(contact_id, company_id) = 1)
);

CREATE INDEX objects_contact ON objects (contact_id, type, updated_at) WHERE contact_id IS NOT NULL;
CREATE INDEX objects_company ON objects (company_id, type, updated_at) WHERE company_id IS NOT NULL;

CREATE TABLE segments (
    key        text PRIMARY KEY,
    name       text NOT NULL,
    condition  text NOT NULL,
    revision   bigint NOT NULL,
    filled_at  timestamptz, -- null: the walk through the contacts that were there before is under way, and entering and leaving are silent
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT segments_revision_positive CHECK (revision > 0)
);

CREATE TABLE segment_members (
    segment    text NOT NULL REFERENCES segments (key) ON DELETE CASCADE,
    contact_id uuid NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    entered_at timestamptz NOT NULL,
    PRIMARY KEY (segment, contact_id)
);

CREATE INDEX segment_members_contact ON segment_members (contact_id);

CREATE TABLE scoring_models (
    version      integer PRIMARY KEY,
    hash         text NOT NULL UNIQUE,
    document     json NOT NULL,
    published_at timestamptz NOT NULL,
    CONSTRAINT scoring_models_version_positive CHECK (version > 0)
);

-- What ingestion applies, as one number: who has rules of another revision reads them again. Whoever changes segments or the scoring
-- model raises it in the same transaction.
CREATE TABLE rules (
    single    boolean PRIMARY KEY DEFAULT true CHECK (single),
    revision  bigint NOT NULL,
    walked    bigint NOT NULL, -- the revision that every contact has been brought to
    walked_to uuid -- how far the walk towards a newer revision has come, in the order of contact ids
);

INSERT INTO rules (revision, walked) VALUES (1, 1);

-- +goose Down
DROP TABLE rules;
DROP TABLE scoring_models;
DROP TABLE segment_members;
DROP TABLE segments;
DROP TABLE objects;
ALTER TABLE contacts DROP CONSTRAINT contacts_company;
DROP TABLE companies;
DELETE FROM events WHERE type IN ('page', 'screen', 'group', 'alias', 'system');
ALTER TABLE events
    DROP CONSTRAINT events_type,
    DROP CONSTRAINT events_named,
    ADD CONSTRAINT events_type CHECK (type IN ('track', 'identify', 'signal')),
    ADD CONSTRAINT events_named CHECK ((type = 'identify') = (name = '')),
    DROP COLUMN moved,
    DROP COLUMN context;
ALTER TABLE contacts DROP COLUMN recheck_at, DROP COLUMN segments, DROP COLUMN company_id, DROP COLUMN score_state;

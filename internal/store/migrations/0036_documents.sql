-- Documents of which there is one: the brand and the sending policy, and the glossary and what is set about subject lines beside them.

-- +goose Up

CREATE TABLE documents (
    name       text PRIMARY KEY,
    revision   bigint NOT NULL,
    document   json NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT documents_revision_positive CHECK (revision > 0)
);

INSERT INTO documents (name, revision, document, updated_at) SELECT 'brand', revision, document, updated_at FROM brand;
INSERT INTO documents (name, revision, document, updated_at) SELECT 'sending_policy', revision, document, updated_at FROM sending_policy;
DROP TABLE brand;
DROP TABLE sending_policy;

-- +goose Down

CREATE TABLE sending_policy (
    id         integer PRIMARY KEY DEFAULT 1,
    document   json NOT NULL,
    revision   bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT sending_policy_one CHECK (id = 1),
    CONSTRAINT sending_policy_revision_positive CHECK (revision > 0)
);

CREATE TABLE brand (
    one        boolean PRIMARY KEY DEFAULT true,
    revision   bigint NOT NULL,
    document   json NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT brand_is_one CHECK (one)
);

INSERT INTO sending_policy (document, revision, updated_at) SELECT document, revision, updated_at FROM documents WHERE name = 'sending_policy';
INSERT INTO brand (document, revision, updated_at) SELECT document, revision, updated_at FROM documents WHERE name = 'brand';
DROP TABLE documents;

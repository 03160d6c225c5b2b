-- What is known of addresses without writing to them.

-- +goose Up

-- What DNS says about the domains of addresses: it is asked once for all of them.
CREATE TABLE mail_domains (
    domain     text PRIMARY KEY,
    state      text NOT NULL,
    checked_at timestamptz NOT NULL,
    good_until timestamptz NOT NULL,
    CONSTRAINT mail_domains_state CHECK (state IN ('mail', 'no_mx', 'null_mx', 'unknown'))
);

ALTER TABLE contacts
    ADD COLUMN email_verdict  text NOT NULL DEFAULT '',
    ADD COLUMN email_reasons  text[] NOT NULL DEFAULT '{}',
    ADD COLUMN email_check_at timestamptz DEFAULT now(), -- when the address's domain is looked up next; those that are there already: now
    ADD CONSTRAINT contacts_email_verdict CHECK (email_verdict IN ('', 'deliverable', 'risky', 'undeliverable', 'unknown'));

ALTER TABLE contacts ALTER COLUMN email_check_at DROP DEFAULT;

CREATE INDEX contacts_email_check ON contacts (email_check_at) WHERE email_check_at IS NOT NULL;

-- The rows of an import by what is known of their addresses; which domains take mail may be known later only.
CREATE TABLE import_addresses (
    import_id uuid NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    domain    text NOT NULL, -- empty: of rows whose address is none, or of more domains than are kept
    reasons   text[] NOT NULL,
    file_rows bigint NOT NULL,
    PRIMARY KEY (import_id, domain, reasons)
);

-- +goose Down

DROP TABLE import_addresses;
DROP INDEX contacts_email_check;
ALTER TABLE contacts DROP COLUMN email_check_at, DROP COLUMN email_reasons, DROP COLUMN email_verdict;
DROP TABLE mail_domains;

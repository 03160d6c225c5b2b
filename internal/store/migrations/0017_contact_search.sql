-- Finding a contact by the beginning of an address, a user id or a name, and the mail of everybody.

-- +goose Up

-- Names as they are looked for. Columns and not expressions over the traits in an index: an update of other traits then stays out of the
-- indexes. Cut off, because what is too long for an index would make the contact's events fail. The operator || and not concat: that one
-- depends on settings.
ALTER TABLE contacts
    ADD COLUMN person_key text GENERATED ALWAYS AS (nullif(lower(left(btrim(
        coalesce(traits ->> 'first_name', traits ->> 'firstName', '') || ' ' || coalesce(traits ->> 'last_name', traits ->> 'lastName', '')), 100)), '')) STORED,
    ADD COLUMN family_key text GENERATED ALWAYS AS (nullif(lower(left(btrim(coalesce(traits ->> 'last_name', traits ->> 'lastName', '')), 100)), '')) STORED,
    ADD COLUMN name_key   text GENERATED ALWAYS AS (nullif(lower(left(btrim(coalesce(traits ->> 'name', '')), 100)), '')) STORED;

-- text_pattern_ops: in the order of bytes, whatever the collation, so that a beginning is a range.
CREATE INDEX contacts_email_prefix ON contacts (email_key text_pattern_ops, id) WHERE email_key IS NOT NULL;
CREATE INDEX contacts_user_prefix ON contacts (lower(user_id) text_pattern_ops, id) WHERE user_id IS NOT NULL;
CREATE INDEX contacts_person_prefix ON contacts (person_key text_pattern_ops, id) WHERE person_key IS NOT NULL;
CREATE INDEX contacts_family_prefix ON contacts (family_key text_pattern_ops, id) WHERE family_key IS NOT NULL;
CREATE INDEX contacts_name_prefix ON contacts (name_key text_pattern_ops, id) WHERE name_key IS NOT NULL;

-- The contacts of a stage, the newest first: ids grow with time.
CREATE INDEX contacts_of_stage ON contacts (stage, id);

-- All mail, the newest first; and what is a small part of it. Most mail is sent, so sent mail is found among all.
CREATE INDEX messages_newest ON messages (journal_id);
CREATE INDEX messages_of_journey ON messages (journey, journal_id);
CREATE INDEX messages_of_template ON messages (template, journal_id);
CREATE INDEX messages_not_sent ON messages (state, journal_id) WHERE state <> 'sent';
CREATE INDEX messages_with_reason ON messages (reason, journal_id) WHERE reason <> '';

-- +goose Down
DROP INDEX messages_with_reason;
DROP INDEX messages_not_sent;
DROP INDEX messages_of_template;
DROP INDEX messages_of_journey;
DROP INDEX messages_newest;
DROP INDEX contacts_of_stage;
DROP INDEX contacts_name_prefix;
DROP INDEX contacts_family_prefix;
DROP INDEX contacts_person_prefix;
DROP INDEX contacts_user_prefix;
DROP INDEX contacts_email_prefix;
ALTER TABLE contacts DROP COLUMN name_key, DROP COLUMN family_key, DROP COLUMN person_key;

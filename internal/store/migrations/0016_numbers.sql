-- What a journey's numbers are counted from, without reading the rows themselves.

-- +goose Up

CREATE INDEX enrollments_numbers ON enrollments (journey, version, id);
CREATE INDEX decisions_numbers ON decisions (journey, step_id, kind, outcome, journal_id DESC) INCLUDE (enrollment_id, visit) WHERE step_id <> '';
CREATE INDEX messages_numbers ON messages (journey, version, step_id, state, reason, journal_id DESC);

-- +goose Down
DROP INDEX messages_numbers;
DROP INDEX decisions_numbers;
DROP INDEX enrollments_numbers;

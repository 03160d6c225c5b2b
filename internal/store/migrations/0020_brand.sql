-- What every mail shows of its sender, once somebody has said it in the pages.

-- +goose Up

-- One row, or none: then the variables of the process count.
CREATE TABLE brand (
    one        boolean PRIMARY KEY DEFAULT true,
    revision   bigint NOT NULL,
    document   json NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT brand_is_one CHECK (one)
);

-- +goose Down
DROP TABLE brand;

-- What was spent on the language model, by month (UTC). What a question may cost is put aside before it is asked.

-- +goose Up

CREATE TABLE ai_usage (
    month    text PRIMARY KEY, -- 2026-11
    requests bigint NOT NULL,
    tokens   bigint NOT NULL,
    CONSTRAINT ai_usage_counts CHECK (requests >= 0 AND tokens >= 0)
);

-- +goose Down

DROP TABLE ai_usage;

-- What a journey's mail does to the sender's name is looked at all the time.

-- +goose Up

CREATE INDEX deliveries_bad ON deliveries (created_at) WHERE delivery = 'complained' OR bounce = 'hard';

-- +goose Down

DROP INDEX deliveries_bad;

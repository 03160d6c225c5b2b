-- Where the links of mails lead, and who followed them.

-- +goose Up

-- Of mails whose links are tracked. A table of its own: what is said about a mail later does not write its wide row again.
CREATE TABLE message_tracking (
    message_id     uuid PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    links          text[] NOT NULL, -- by their numbers
    opened_at      timestamptz,     -- first, by a person
    clicked_at     timestamptz,     -- first, by a person
    machine_opens  integer NOT NULL DEFAULT 0,
    machine_clicks integer NOT NULL DEFAULT 0,
    CONSTRAINT message_tracking_counts CHECK (machine_opens >= 0 AND machine_clicks >= 0)
);

-- What numbers count.
CREATE INDEX message_tracking_clicked ON message_tracking (message_id) WHERE clicked_at IS NOT NULL;

-- Requests for links: held until others of the same mail may have told who makes them, and kept a while to tell that of later ones. There is
-- no address in them.
CREATE TABLE mail_clicks (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id uuid NOT NULL REFERENCES message_tracking (message_id) ON DELETE CASCADE,
    link       integer NOT NULL,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    reason     text NOT NULL DEFAULT '',
    due_at     timestamptz NOT NULL,
    settled    boolean NOT NULL DEFAULT false,
    CONSTRAINT mail_clicks_actor CHECK (actor IN ('human', 'bot', 'proxy')),
    CONSTRAINT mail_clicks_machine_has_reason CHECK ((actor = 'human') = (reason = ''))
);

CREATE INDEX mail_clicks_of_message ON mail_clicks (message_id);
CREATE INDEX mail_clicks_due ON mail_clicks (due_at) WHERE NOT settled;
CREATE INDEX mail_clicks_settled ON mail_clicks (at) WHERE settled;

-- +goose Down

DROP TABLE mail_clicks;
DROP TABLE message_tracking;

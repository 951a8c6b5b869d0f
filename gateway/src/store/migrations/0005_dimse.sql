-- What must reach a node of a hospital: instances by C-STORE, reports of storage commitment by N-EVENT-REPORT.
-- `lease_until` is when a process that took it loses it again. What is `dead` was given up, with the node's own words.
CREATE TABLE node_outbox (
    id          TEXT   NOT NULL PRIMARY KEY,
    hospital    TEXT   NOT NULL,
    node        TEXT   NOT NULL,
    instance    TEXT,
    report      TEXT,
    state       TEXT   NOT NULL,
    attempts    BIGINT NOT NULL,
    put_at      BIGINT NOT NULL,
    next_at     BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    last_fault  TEXT
);
CREATE INDEX node_outbox_due ON node_outbox (state, next_at);
CREATE INDEX node_outbox_of_node ON node_outbox (hospital, node, state);

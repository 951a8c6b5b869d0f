-- Portable SQL: the same text serves SQLite and PostgreSQL. Ids and documents are TEXT, times are BIGINT
-- (microseconds since 1970-01-01 UTC), flags are words. A document is the JSON of the management API.

-- the catalog ---------------------------------------------------------------------------------------------------------

CREATE TABLE hospitals (
    id       TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
);

CREATE TABLE clients (
    hospital TEXT NOT NULL REFERENCES hospitals (id) ON DELETE CASCADE,
    id       TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (hospital, id)
);

CREATE TABLE vendors (
    id       TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL
);

-- A version's descriptor never changes: there is no statement that updates it.
CREATE TABLE versions (
    vendor     TEXT   NOT NULL REFERENCES vendors (id),
    service    TEXT   NOT NULL,
    number     TEXT   NOT NULL,
    descriptor TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (vendor, service, number)
);
CREATE INDEX versions_by_state ON versions (state);

-- Every move of a version, with who made it and why: the governor's approvals are the rows moved 'approve'.
CREATE TABLE transitions (
    id         TEXT   NOT NULL PRIMARY KEY,
    vendor     TEXT   NOT NULL,
    service    TEXT   NOT NULL,
    number     TEXT   NOT NULL,
    moved      TEXT   NOT NULL,
    from_state TEXT   NOT NULL,
    to_state   TEXT   NOT NULL,
    actor      TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX transitions_of_version ON transitions (vendor, service, number, at);

CREATE TABLE enrollments (
    hospital TEXT NOT NULL REFERENCES hospitals (id) ON DELETE CASCADE,
    vendor   TEXT NOT NULL,
    service  TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (hospital, vendor, service)
);
CREATE INDEX enrollments_of_service ON enrollments (vendor, service);

-- Secrets are 256 random bits; only their SHA-256 is here.
CREATE TABLE credentials (
    id         TEXT   NOT NULL PRIMARY KEY,
    role       TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    label      TEXT   NOT NULL,
    digest     TEXT   NOT NULL UNIQUE,
    created_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);

-- What a vendor's discovery said when it was last read, and how it departs from what was approved.
CREATE TABLE discoveries (
    vendor        TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    number        TEXT   NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    document      TEXT   NOT NULL,
    changes       TEXT   NOT NULL,
    defects       TEXT   NOT NULL,
    fault         TEXT,
    read_at       BIGINT NOT NULL,
    PRIMARY KEY (vendor, service, number)
);

-- exchanges -----------------------------------------------------------------------------------------------------------

CREATE TABLE exchanges (
    id          TEXT   NOT NULL PRIMARY KEY,
    hospital    TEXT   NOT NULL,
    client      TEXT   NOT NULL,
    hook        TEXT   NOT NULL,
    offer       TEXT   NOT NULL,
    received_at BIGINT NOT NULL,
    status      BIGINT NOT NULL,
    duration_us BIGINT NOT NULL,
    explanation TEXT   NOT NULL
);
CREATE INDEX exchanges_of_hospital ON exchanges (hospital, id);

-- What became known of an exchange after its record was written: a late answer, a comparison with a shadow.
CREATE TABLE addenda (
    id       TEXT   NOT NULL PRIMARY KEY,
    hospital TEXT   NOT NULL,
    exchange TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    note     TEXT   NOT NULL
);
CREATE INDEX addenda_of_exchange ON addenda (exchange, id);

CREATE TABLE replay (
    hospital   TEXT   NOT NULL,
    issuer     TEXT   NOT NULL,
    jti        TEXT   NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (hospital, issuer, jti)
);
CREATE INDEX replay_by_expiry ON replay (expires_at);

-- The ids that the gateway gave to cards and suggestions, and the vendor's own: feedback comes home by them.
-- A card that stands for near-duplicates of several services has a row for each.
CREATE TABLE issued_cards (
    card        TEXT   NOT NULL,
    hospital    TEXT   NOT NULL,
    exchange    TEXT   NOT NULL,
    offer       TEXT   NOT NULL,
    vendor      TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    number      TEXT   NOT NULL,
    cds_id      TEXT   NOT NULL,
    vendor_card TEXT,
    suggestions TEXT   NOT NULL,
    issued_at   BIGINT NOT NULL,
    PRIMARY KEY (card, vendor, service, cds_id)
);
CREATE INDEX issued_cards_by_age ON issued_cards (issued_at);

-- One row for each counted use: `dedup_key` again within the retry window is the same use.
CREATE TABLE usage (
    exchange  TEXT   NOT NULL,
    hospital  TEXT   NOT NULL,
    vendor    TEXT   NOT NULL,
    service   TEXT   NOT NULL,
    number    TEXT   NOT NULL,
    mode      TEXT   NOT NULL,
    dedup_key TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (exchange, vendor, service, number)
);
CREATE INDEX usage_by_key ON usage (dedup_key, vendor, service, number, at);
CREATE INDEX usage_of_hospital ON usage (hospital, vendor, service, mode, at);
CREATE INDEX usage_of_vendor ON usage (vendor, service, at);

-- A trial's use is promised before the call and counted after it: the quota holds also under parallel calls.
CREATE TABLE trial_holds (
    exchange  TEXT   NOT NULL,
    hospital  TEXT   NOT NULL,
    vendor    TEXT   NOT NULL,
    service   TEXT   NOT NULL,
    held_at   BIGINT NOT NULL,
    PRIMARY KEY (exchange, vendor, service)
);
CREATE INDEX trial_holds_of_hospital ON trial_holds (hospital, vendor, service, held_at);

-- What the gateway noted about a version's answers, summed by day: asked, answered, repaired by which rule, and so on.
CREATE TABLE marks (
    day     BIGINT NOT NULL,
    vendor  TEXT   NOT NULL,
    service TEXT   NOT NULL,
    number  TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    rule    TEXT   NOT NULL,
    times   BIGINT NOT NULL,
    PRIMARY KEY (vendor, service, number, day, kind, rule)
);

-- feedback ------------------------------------------------------------------------------------------------------------

-- One outcome of one card; the same again is the same row.
CREATE TABLE feedback (
    id           TEXT   NOT NULL PRIMARY KEY,
    hospital     TEXT   NOT NULL,
    exchange     TEXT   NOT NULL,
    card         TEXT   NOT NULL,
    vendor       TEXT   NOT NULL,
    service      TEXT   NOT NULL,
    number       TEXT   NOT NULL,
    cds_id       TEXT   NOT NULL,
    outcome      TEXT   NOT NULL,
    document     TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    received_at  BIGINT NOT NULL,
    delivered_at BIGINT,
    UNIQUE (hospital, card, vendor, service, digest)
);
CREATE INDEX feedback_of_vendor ON feedback (vendor, id);
CREATE INDEX feedback_of_hospital ON feedback (hospital, vendor, service, outcome);

-- What must still reach a vendor; the id is the feedback's. A delivered row is gone, a dead one stays to be looked at.
CREATE TABLE outbox (
    id          TEXT   NOT NULL PRIMARY KEY,
    hospital    TEXT   NOT NULL,
    vendor      TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    number      TEXT   NOT NULL,
    cds_id      TEXT   NOT NULL,
    url         TEXT   NOT NULL,
    audience    TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    attempts    BIGINT NOT NULL,
    next_at     BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    last_fault  TEXT
);
CREATE INDEX outbox_due ON outbox (state, next_at);

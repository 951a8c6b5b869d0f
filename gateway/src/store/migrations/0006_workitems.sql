-- Unified Procedure Steps. `attributes` is the DICOM JSON of all but UID, state and Transaction UID.
CREATE TABLE workitems (
    id              INTEGER PRIMARY KEY,
    hospital        TEXT    NOT NULL,
    uid             TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    transaction_uid TEXT,
    created_at      BIGINT  NOT NULL,
    changed_at      BIGINT  NOT NULL,
    attributes      TEXT    NOT NULL,
    UNIQUE (hospital, uid)
);
CREATE INDEX workitems_in_order ON workitems (hospital, id);
CREATE INDEX workitems_by_state ON workitems (hospital, state, id);

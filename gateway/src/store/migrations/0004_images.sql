-- Images. `INTEGER PRIMARY KEY` numbers rows by itself in SQLite; another database says IDENTITY there.

-- Who brought something, from where, when, and by which protocol. One row for each request or association.
CREATE TABLE origins (
    id       TEXT   NOT NULL PRIMARY KEY,
    hospital TEXT   NOT NULL,
    protocol TEXT   NOT NULL,
    source   TEXT   NOT NULL,
    called   TEXT,
    peer     TEXT   NOT NULL,
    at       BIGINT NOT NULL
);

-- A file below `images`: the instances of one arrival, back to back as they came. It goes with its last instance.
CREATE TABLE packs (
    id       TEXT   NOT NULL PRIMARY KEY,
    hospital TEXT   NOT NULL,
    made_at  BIGINT NOT NULL
);

-- `attributes` is the DICOM JSON of the attributes of that level, from the first instance that came.
CREATE TABLE studies (
    id         INTEGER PRIMARY KEY,
    hospital   TEXT    NOT NULL,
    uid        TEXT    NOT NULL,
    patient_id TEXT    NOT NULL,
    accession  TEXT    NOT NULL,
    study_id   TEXT    NOT NULL,
    date       TEXT    NOT NULL,
    modalities TEXT    NOT NULL,
    series     BIGINT  NOT NULL,
    instances  BIGINT  NOT NULL,
    changed_at BIGINT  NOT NULL,
    attributes TEXT    NOT NULL,
    UNIQUE (hospital, uid)
);
CREATE INDEX studies_in_order ON studies (hospital, id);
CREATE INDEX studies_of_patient ON studies (hospital, patient_id);
CREATE INDEX studies_by_accession ON studies (hospital, accession);
CREATE INDEX studies_by_date ON studies (hospital, date);

-- Folded words of the names in a study, for search by prefix.
CREATE TABLE study_names (
    hospital TEXT   NOT NULL,
    word     TEXT   NOT NULL,
    study    BIGINT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
    PRIMARY KEY (hospital, word, study)
);
CREATE INDEX study_names_of_study ON study_names (study);

CREATE TABLE series (
    id         INTEGER PRIMARY KEY,
    study      BIGINT  NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
    hospital   TEXT    NOT NULL,
    uid        TEXT    NOT NULL,
    modality   TEXT    NOT NULL,
    instances  BIGINT  NOT NULL,
    attributes TEXT    NOT NULL,
    UNIQUE (study, uid)
);
CREATE INDEX series_in_order ON series (hospital, id);
CREATE INDEX series_by_modality ON series (hospital, modality, id);
CREATE INDEX series_by_uid ON series (hospital, uid);

CREATE TABLE instances (
    id        INTEGER PRIMARY KEY,
    series    BIGINT  NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    hospital  TEXT    NOT NULL,
    uid       TEXT    NOT NULL,
    class     TEXT    NOT NULL,
    syntax    TEXT    NOT NULL,
    number    BIGINT,
    frames    BIGINT,
    rows      BIGINT,
    columns   BIGINT,
    bits      BIGINT,
    pack      TEXT    NOT NULL REFERENCES packs (id),
    at_byte   BIGINT  NOT NULL,
    bytes     BIGINT  NOT NULL,
    digest    BLOB    NOT NULL,
    origin    TEXT    NOT NULL REFERENCES origins (id),
    kind      TEXT    NOT NULL,
    stored_at BIGINT  NOT NULL,
    UNIQUE (hospital, uid)
);
CREATE INDEX instances_in_order ON instances (hospital, id);
CREATE INDEX instances_by_class ON instances (hospital, class, id);
CREATE INDEX instances_of_series ON instances (series, id);
CREATE INDEX instances_in_pack ON instances (pack);
CREATE INDEX instances_of_origin ON instances (origin);
CREATE INDEX instances_by_age ON instances (hospital, kind, stored_at);

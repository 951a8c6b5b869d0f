-- Studies in which something arrived that AI services may want. `due_at` is when to look next; nothing waits where it is NULL.
-- A process that looks puts it off first, so that another one does not look too. `evidence` says why the study was taken as
-- complete, and what was decided.
CREATE TABLE intakes (
    hospital   TEXT   NOT NULL,
    study      TEXT   NOT NULL,
    began_at   BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    due_at     BIGINT,
    judged_at  BIGINT,
    evidence   TEXT,
    PRIMARY KEY (hospital, study)
);
CREATE INDEX intakes_due ON intakes (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX intakes_done ON intakes (changed_at) WHERE due_at IS NULL;

-- The work of one service on one study. `due_at` of a job that runs is the end of its lease. `digest` is of everything that
-- the work depends on: the same work is not done twice. `inputs` names series and instances. `run` names what was begun when the
-- job was put in or was last told to run again: its workitem and its record.
CREATE TABLE jobs (
    id          TEXT   NOT NULL PRIMARY KEY,
    run         TEXT   NOT NULL,
    hospital    TEXT   NOT NULL,
    study       TEXT   NOT NULL,
    patient_id  TEXT   NOT NULL,
    vendor      TEXT   NOT NULL,
    service     TEXT   NOT NULL,
    number      TEXT   NOT NULL,
    entry       TEXT   NOT NULL,
    mode        TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    priority    BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    deadline_at BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    inputs      TEXT   NOT NULL,
    digest      BLOB   NOT NULL,
    fault       TEXT,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    UNIQUE (hospital, study, vendor, service, entry, digest)
);
CREATE INDEX jobs_open ON jobs (due_at) WHERE state IN ('waiting', 'running', 'answered');
CREATE INDEX jobs_of_service ON jobs (vendor, service, priority, id) WHERE state IN ('waiting', 'running', 'answered');
CREATE INDEX jobs_without_result ON jobs (id) WHERE state IN ('dead', 'canceled', 'superseded');
CREATE INDEX jobs_in_order ON jobs (hospital, id);
CREATE INDEX jobs_of_vendor ON jobs (vendor, id);
CREATE INDEX jobs_of_study ON jobs (hospital, study);

-- What a service found: the checked answer of a job, from which all evidence is made. `superseded_by` names the job that
-- looked at more of the same study. Whose it is, the study says: a study may be corrected. `evidence` names what was made of it,
-- `card` is what doctors' EHRs are told, and `seen_at` is when a doctor answered that.
CREATE TABLE analyses (
    job           TEXT   NOT NULL PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    hospital      TEXT   NOT NULL,
    study         TEXT   NOT NULL,
    at            BIGINT NOT NULL,
    findings      TEXT   NOT NULL,
    evidence      TEXT,
    card          TEXT,
    superseded_by TEXT,
    seen_at       BIGINT
);
CREATE INDEX analyses_of_study ON analyses (hospital, study);

-- How much a workitem takes, and whether it is of a job of this gateway: such are never refused for want of room. Those that are
-- there are not told apart; they go with their time.
ALTER TABLE workitems ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workitems ADD COLUMN is_job BIGINT NOT NULL DEFAULT 0;
UPDATE workitems SET bytes = length(CAST(attributes AS BLOB));
CREATE INDEX workitems_ended ON workitems (changed_at) WHERE state IN ('COMPLETED', 'CANCELED');

-- What workitems of a hospital take together that are of no job.
CREATE TABLE workitem_sums (
    hospital  TEXT   NOT NULL PRIMARY KEY,
    workitems BIGINT NOT NULL,
    bytes     BIGINT NOT NULL
);
INSERT INTO workitem_sums SELECT hospital, count(*), sum(bytes) FROM workitems GROUP BY hospital;
CREATE TRIGGER workitem_comes AFTER INSERT ON workitems WHEN NEW.is_job = 0 BEGIN
    INSERT INTO workitem_sums VALUES (NEW.hospital, 1, NEW.bytes)
        ON CONFLICT (hospital) DO UPDATE SET workitems = workitems + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER workitem_changes AFTER UPDATE OF bytes ON workitems WHEN NEW.is_job = 0 BEGIN
    UPDATE workitem_sums SET bytes = bytes + NEW.bytes - OLD.bytes WHERE hospital = NEW.hospital;
END;
CREATE TRIGGER workitem_goes AFTER DELETE ON workitems WHEN OLD.is_job = 0 BEGIN
    UPDATE workitem_sums SET workitems = workitems - 1, bytes = bytes - OLD.bytes WHERE hospital = OLD.hospital;
END;

-- What workitems are searched by without reading them: `key` is patient, study, station or start; a start is a day, YYYYMMDD.
CREATE TABLE workitem_keys (
    hospital TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    workitem INTEGER NOT NULL REFERENCES workitems (id) ON DELETE CASCADE,
    PRIMARY KEY (hospital, key, value, workitem)
) WITHOUT ROWID;
CREATE INDEX workitem_keys_of_workitem ON workitem_keys (workitem);
INSERT OR IGNORE INTO workitem_keys
    SELECT w.hospital, 'patient', substr(trim(v.value), 1, 64), w.id
    FROM workitems AS w, json_each(w.attributes, '$."00100020".Value') AS v WHERE v.type = 'text';
INSERT OR IGNORE INTO workitem_keys
    SELECT w.hospital, 'study', substr(trim(v.value), 1, 64), w.id
    FROM workitems AS w, json_each(w.attributes, '$."00404021".Value') AS i, json_each(i.value, '$."0020000D".Value') AS v
    WHERE v.type = 'text';
INSERT OR IGNORE INTO workitem_keys
    SELECT w.hospital, 'station', substr(trim(v.value), 1, 64), w.id
    FROM workitems AS w, json_each(w.attributes, '$."00404025".Value') AS i, json_each(i.value, '$."00080100".Value') AS v
    WHERE v.type = 'text';
INSERT OR IGNORE INTO workitem_keys
    SELECT w.hospital, 'start', CASE length(trim(v.value)) WHEN 4 THEN trim(v.value) || '0101' WHEN 6 THEN trim(v.value) || '01'
        ELSE substr(trim(v.value), 1, 8) END, w.id
    FROM workitems AS w, json_each(w.attributes, '$."00404005".Value') AS v WHERE v.type = 'text';

-- UIDs of workitems that were deleted, for a while.
CREATE TABLE workitem_tombs (
    id         INTEGER PRIMARY KEY,
    hospital   TEXT    NOT NULL,
    uid        TEXT    NOT NULL,
    deleted_at BIGINT  NOT NULL,
    UNIQUE (hospital, uid)
);
CREATE INDEX workitem_tombs_of_hospital ON workitem_tombs (hospital, id);
CREATE INDEX workitem_tombs_by_time ON workitem_tombs (deleted_at);

-- Results of a job that are DICOM objects: first as its service stored them, then, when the answer is kept, those that hold, as
-- they are delivered. They go when the job is done.
CREATE TABLE received (
    job      TEXT   NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    instance TEXT   NOT NULL,
    series   TEXT   NOT NULL,
    class    TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    bytes    BLOB   NOT NULL,
    PRIMARY KEY (job, instance)
);

-- What of an answer was kept back, and why.
ALTER TABLE analyses ADD COLUMN kept_back TEXT;

-- Until when a job is on its service's worklist.
ALTER TABLE jobs ADD COLUMN offered_until BIGINT;

DROP INDEX jobs_open;
DROP INDEX jobs_of_service;
CREATE INDEX jobs_open ON jobs (due_at) WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken');
CREATE INDEX jobs_of_service ON jobs (vendor, service, priority, id)
    WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken');
CREATE INDEX jobs_by_run ON jobs (run);

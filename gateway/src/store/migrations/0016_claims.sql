-- How often a job was ever taken: that number is never used twice, whatever becomes of a try. And how often whoever had it was lost
-- with it: that says nothing about its service.
ALTER TABLE jobs ADD COLUMN claim BIGINT NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN deaths BIGINT NOT NULL DEFAULT 0;
UPDATE jobs SET claim = attempts WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken');

-- Which services have something due, and whose turn it is, is found by seeking, however much waits.
DROP INDEX jobs_open;
DROP INDEX jobs_of_service;
CREATE INDEX jobs_open ON jobs (vendor, service, priority, due_at)
    WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken');
CREATE INDEX jobs_turns ON jobs (vendor, service, hospital, priority, id, due_at)
    WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken');

-- Jobs that compare with a study.
CREATE INDEX jobs_with_prior ON jobs (prior ->> 'study', vendor) WHERE state IN ('running', 'offered', 'taken') AND prior IS NOT NULL;

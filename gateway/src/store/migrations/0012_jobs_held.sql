-- What processes work on is counted at each claim: it is few, of however many are open.
CREATE INDEX jobs_held ON jobs (vendor, service, due_at) WHERE state IN ('running', 'answered');
-- What somebody at a vendor may do, in the order of its worklist; and of one study.
CREATE INDEX jobs_at_vendor ON jobs (vendor, priority, id) WHERE state IN ('running', 'offered', 'taken');
CREATE INDEX jobs_of_study_at_vendor ON jobs (study, vendor) WHERE state IN ('running', 'offered', 'taken');
-- Which services have something to do is told by the index alone.
DROP INDEX jobs_open;
CREATE INDEX jobs_open ON jobs (due_at, vendor, service, priority)
    WHERE state IN ('waiting', 'running', 'answered', 'offered', 'taken');

-- Results that a service brought for a job and that were refused at the door: the last few of each, so that its vendor reads why
-- where it reads of the job. `code` is a Failure Reason (0008,1197).
CREATE TABLE refused_results (
    job   TEXT   NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    at    BIGINT NOT NULL,
    code  BIGINT NOT NULL,
    words TEXT   NOT NULL
);
CREATE INDEX refused_results_of_job ON refused_results (job);

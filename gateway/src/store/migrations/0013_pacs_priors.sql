-- For which studies a hospital's own archive is asked for earlier ones to compare with, and what came of it. `changed_at` is that of
-- the intake: when more of the study comes, it is asked anew.
CREATE TABLE prior_searches (
    hospital TEXT NOT NULL,
    study TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- Nobody waits for it any longer.
    until BIGINT NOT NULL,
    -- Whoever searches holds it so long.
    held_until BIGINT NOT NULL,
    ended_at BIGINT,
    report TEXT,
    PRIMARY KEY (hospital, study)
);
CREATE INDEX prior_searches_open ON prior_searches (asked_at) WHERE ended_at IS NULL;
CREATE INDEX prior_searches_by_time ON prior_searches (asked_at);

-- Studies that were asked of an archive as priors, before it was asked: what of them arrives by that is no new study.
CREATE TABLE prior_studies (
    hospital TEXT NOT NULL,
    study TEXT NOT NULL,
    -- AE title of the node that sends it; nothing where it is fetched by another way.
    source TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- So long what comes from there without saying why is taken as part of it.
    until BIGINT NOT NULL,
    PRIMARY KEY (hospital, study)
);
CREATE INDEX prior_studies_by_time ON prior_studies (asked_at);

-- How many instances an archive said that a series of such a study has: one that has fewer here is not compared with.
CREATE TABLE prior_series (
    hospital TEXT NOT NULL,
    study TEXT NOT NULL,
    series TEXT NOT NULL,
    instances BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    PRIMARY KEY (hospital, study, series)
);
CREATE INDEX prior_series_by_time ON prior_series (asked_at);

-- What happened to workitems (PS3.4 table CC.2.4-1). `attributes` is the DICOM JSON of the event; `through` is the sum of bytes of
-- all events of the hospital up to this one, by which the oldest make room.
CREATE TABLE workitem_events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    hospital   TEXT    NOT NULL,
    workitem   TEXT    NOT NULL,
    kind       BIGINT  NOT NULL,
    at         BIGINT  NOT NULL,
    through    BIGINT  NOT NULL,
    attributes TEXT    NOT NULL
);
CREATE INDEX workitem_events_of_hospital ON workitem_events (hospital, through);
CREATE INDEX workitem_events_by_time ON workitem_events (at);

-- Application entities that hear of workitems.
CREATE TABLE workitem_subscribers (
    hospital TEXT NOT NULL,
    ae_title TEXT NOT NULL,
    PRIMARY KEY (hospital, ae_title)
);

-- Who is subscribed to every workitem to come (`filter` is NULL), or to those that match (JSON pairs of the query).
CREATE TABLE workitem_worklists (
    hospital TEXT   NOT NULL,
    ae_title TEXT   NOT NULL,
    worklist TEXT   NOT NULL,
    filter   TEXT,
    has_lock BIGINT NOT NULL,
    PRIMARY KEY (hospital, ae_title, worklist),
    FOREIGN KEY (hospital, ae_title) REFERENCES workitem_subscribers (hospital, ae_title) ON DELETE CASCADE
);

-- Who is subscribed to which workitem, and whether it stays for them.
CREATE TABLE workitem_subscriptions (
    hospital TEXT   NOT NULL,
    workitem TEXT   NOT NULL,
    ae_title TEXT   NOT NULL,
    has_lock BIGINT NOT NULL,
    PRIMARY KEY (hospital, workitem, ae_title),
    FOREIGN KEY (hospital, ae_title) REFERENCES workitem_subscribers (hospital, ae_title) ON DELETE CASCADE
);
CREATE INDEX workitem_subscriptions_of_subscriber ON workitem_subscriptions (hospital, ae_title);

-- Events that a subscriber was not sent yet.
CREATE TABLE workitem_notices (
    hospital TEXT   NOT NULL,
    ae_title TEXT   NOT NULL,
    event    BIGINT NOT NULL REFERENCES workitem_events (id) ON DELETE CASCADE,
    PRIMARY KEY (hospital, ae_title, event),
    FOREIGN KEY (hospital, ae_title) REFERENCES workitem_subscribers (hospital, ae_title) ON DELETE CASCADE
);
CREATE INDEX workitem_notices_of_event ON workitem_notices (event);

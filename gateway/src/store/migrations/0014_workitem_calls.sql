-- Subscribers that are called with their events (N-EVENT-REPORT): when next, unset for those that only listen; and how often in a row
-- that was for nothing.
ALTER TABLE workitem_subscribers ADD COLUMN due_at BIGINT;
ALTER TABLE workitem_subscribers ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
CREATE INDEX workitem_subscribers_due ON workitem_subscribers (due_at) WHERE due_at IS NOT NULL;

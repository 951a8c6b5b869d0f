-- Sums over a period read the period's rows of one vendor, and no others.

DROP INDEX usage_of_vendor;
CREATE INDEX usage_of_vendor ON usage (vendor, at);
CREATE INDEX feedback_by_time ON feedback (vendor, received_at);

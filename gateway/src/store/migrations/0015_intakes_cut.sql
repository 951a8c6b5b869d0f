-- Whether the last transfer that brought something of the study was broken off: its sender will try again.
ALTER TABLE intakes ADD COLUMN is_cut BIGINT NOT NULL DEFAULT 0;

-- Where the journal of its directory ended when a job began to evaluate everybody: what a group gains behind it is nothing that a
-- share is taken of.

ALTER TABLE job ADD COLUMN position BIGINT;

-- Jobs: what they are, how far they are, what they changed. And when connectors are reconciled by themselves.

CREATE TABLE job (
    pk {id},
    public_id {text} NOT NULL,
    kind {text} NOT NULL,
    -- No references, and names beside the numbers: a job is still told of when its connector is gone.
    connector_pk BIGINT,
    connector_name {text},
    directory_pk BIGINT NOT NULL,
    directory_name {text} NOT NULL,
    -- What it is about, for those who read: the name of a group.
    subject {text} NOT NULL,
    -- JSON: what was asked for, in the terms of its kind.
    wish {text} NOT NULL,
    state {text} NOT NULL,
    trigger_name {text} NOT NULL,
    actor {text} NOT NULL,
    -- The request that the journal names for it.
    request {text} NOT NULL,
    total BIGINT NOT NULL,
    -- How many it has worked off itself.
    worked BIGINT NOT NULL,
    -- JSON: how often each operation happened.
    counts {text} NOT NULL,
    failure {text},
    -- Resident memory of the process that ended it, in bytes.
    memory BIGINT,
    created BIGINT NOT NULL,
    started BIGINT,
    finished BIGINT
);
CREATE UNIQUE INDEX job_public_id ON job (public_id);
CREATE INDEX job_unfinished ON job (pk) WHERE finished IS NULL;
CREATE INDEX job_connector ON job (connector_pk, pk);
CREATE INDEX job_directory ON job (directory_pk, pk);

-- Which entries of its directory's journal a job wrote: those behind `first`, up to and with `last`.
CREATE TABLE job_range (
    job_pk BIGINT NOT NULL REFERENCES job (pk),
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (job_pk, first)
) {without_rowid};

-- The job that an evaluation belongs to. If it is optional, nobody but that job, which can be cancelled, wants it;
-- `later` is when it was owed before the job wanted it at once.
ALTER TABLE due ADD COLUMN job_pk BIGINT;
ALTER TABLE due ADD COLUMN optional BIGINT NOT NULL DEFAULT 0;
ALTER TABLE due ADD COLUMN later BIGINT;
CREATE INDEX due_job ON due (job_pk) WHERE job_pk IS NOT NULL;
ALTER TABLE due_nesting ADD COLUMN job_pk BIGINT;
CREATE INDEX due_nesting_job ON due_nesting (job_pk) WHERE job_pk IS NOT NULL;

-- When the connector is to be reconciled next; null if never.
ALTER TABLE connector ADD COLUMN next_run BIGINT;
CREATE INDEX connector_next_run ON connector (next_run) WHERE next_run IS NOT NULL;
-- Since when, and by whom, it has its state; null for one that never changed it.
ALTER TABLE connector ADD COLUMN state_since BIGINT;
ALTER TABLE connector ADD COLUMN state_by {text};

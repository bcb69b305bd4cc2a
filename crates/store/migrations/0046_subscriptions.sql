-- Endpoints that are told of every change of directories, in order, and what each was told. No references to directories:
-- what was told is still told of when one is gone.

CREATE TABLE subscription (
    pk {id},
    public_id {text} NOT NULL,
    name {text} NOT NULL,
    name_fold {text} NOT NULL,
    url {text} NOT NULL,
    -- The key of the signatures, sealed with a key that is not in the database.
    sealed {text} NOT NULL,
    -- JSON array of the events that it is told of; null for all.
    events {text},
    -- JSON array of the directories that it is told of; null for all.
    directories {text},
    enabled BIGINT NOT NULL,
    created BIGINT NOT NULL,
    -- JSON array of [directory, position] pairs: up to where it was told of each journal.
    told {text} NOT NULL,
    -- Jobs that ended before then it was told of, and of these that ended later: a JSON array of ids.
    jobs_since BIGINT NOT NULL,
    jobs_told {text} NOT NULL,
    -- Attempts that failed since the last success, and since when.
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    last_error {text},
    last_success BIGINT,
    -- Not before then; while a batch is being sent, when to believe that its sender is gone.
    next_try BIGINT NOT NULL,
    -- Set when it failed for too long; it is left alone until somebody says to try again.
    given_up BIGINT
);
CREATE UNIQUE INDEX subscription_public_id ON subscription (public_id);
CREATE UNIQUE INDEX subscription_name ON subscription (name_fold);

CREATE TABLE subscription_delivery (
    pk {id},
    public_id {text} NOT NULL,
    subscription_pk BIGINT NOT NULL REFERENCES subscription (pk),
    -- JSON: the part of a journal, or the jobs, that it tells of.
    batch {text} NOT NULL,
    events BIGINT NOT NULL,
    -- waiting, taken or skipped.
    state {text} NOT NULL,
    attempts BIGINT NOT NULL,
    created BIGINT NOT NULL,
    last_try BIGINT,
    -- What the other end said, or why it was not reached.
    answer {text}
);
CREATE UNIQUE INDEX subscription_delivery_public_id ON subscription_delivery (public_id);
CREATE INDEX subscription_delivery_order ON subscription_delivery (subscription_pk, pk);
CREATE INDEX subscription_delivery_waiting ON subscription_delivery (subscription_pk) WHERE state = 'waiting';

CREATE INDEX job_finished ON job (finished) WHERE finished IS NOT NULL;

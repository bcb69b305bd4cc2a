-- Effects that wait for an administrator, and what is counted against the limits.

CREATE TABLE hold (
    pk {id},
    connector_pk BIGINT NOT NULL,
    directory_pk BIGINT NOT NULL,
    -- deactivation, membership_removal, group_deletion or rename.
    kind {text} NOT NULL,
    -- The account it is about; null where it is about a group as a whole.
    user_pk BIGINT,
    user_name {text} NOT NULL,
    user_fold {text} NOT NULL,
    -- The group by the name that products see, and its fold; empty where the kind speaks of none.
    group_name {text} NOT NULL,
    group_fold {text} NOT NULL,
    -- The group that the IdP deleted.
    source_group_pk BIGINT,
    -- What the IdP says, as far as the effect depends on it.
    mark {text} NOT NULL,
    -- The change that is kept back, as in the journal.
    change {text} NOT NULL,
    trigger_name {text} NOT NULL,
    actor {text} NOT NULL,
    request {text} NOT NULL,
    -- open, approved, rejected, cancelled or released.
    state {text} NOT NULL,
    since BIGINT NOT NULL,
    decided BIGINT,
    decided_by {text},
    -- When it ended.
    ended BIGINT,
    -- When it was reported as waiting for long.
    escalated BIGINT
);
CREATE INDEX hold_user ON hold (user_pk, pk);
CREATE INDEX hold_source_group ON hold (source_group_pk, pk) WHERE source_group_pk IS NOT NULL;
CREATE INDEX hold_state ON hold (connector_pk, state, pk);
CREATE INDEX hold_waiting ON hold (state, since);

-- How many holds bear on the account, so that nobody has to look for those of everybody else.
ALTER TABLE directory_user ADD COLUMN holds BIGINT NOT NULL DEFAULT 0;

-- Who was let through, so that each counts once in a window.
CREATE TABLE passed_subject (
    connector_pk BIGINT NOT NULL,
    user_pk BIGINT NOT NULL,
    tally {text} NOT NULL,
    group_fold {text} NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (connector_pk, user_pk, tally, group_fold)
) {without_rowid};
CREATE INDEX passed_subject_at ON passed_subject (at);

-- How many were let through, minute by minute.
CREATE TABLE passed_count (
    connector_pk BIGINT NOT NULL,
    tally {text} NOT NULL,
    group_fold {text} NOT NULL,
    minute BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (connector_pk, tally, group_fold, minute)
) {without_rowid};
CREATE INDEX passed_count_minute ON passed_count (minute);

-- Of how many, as counted when it first mattered in a window.
CREATE TABLE limit_base (
    connector_pk BIGINT NOT NULL,
    tally {text} NOT NULL,
    group_fold {text} NOT NULL,
    base BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (connector_pk, tally, group_fold)
) {without_rowid};

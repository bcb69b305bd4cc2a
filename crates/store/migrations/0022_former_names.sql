-- User names that somebody gave up: who had each last, how it was given up and when.

CREATE TABLE former_name (
    directory_pk BIGINT NOT NULL,
    name_fold {text} NOT NULL,
    name {text} NOT NULL,
    -- The account that had it.
    user_pk BIGINT NOT NULL,
    -- renamed, removed or anonymised.
    manner {text} NOT NULL,
    given_up BIGINT NOT NULL,
    PRIMARY KEY (directory_pk, name_fold)
) {without_rowid};

INSERT INTO former_name (directory_pk, name_fold, name, user_pk, manner, given_up)
SELECT u.directory_pk, u.name_fold, u.name, u.pk, 'removed', u.updated FROM directory_user u
JOIN (SELECT max(pk) AS pk FROM directory_user WHERE status = 'removed' GROUP BY directory_pk, name_fold) newest
ON newest.pk = u.pk;

-- Since when an account has its status and the reason for it.
ALTER TABLE directory_user ADD COLUMN status_since BIGINT;
-- Until when what an administrator or the rule for the inactive decided about it stands; for ever if there is no such time.
ALTER TABLE directory_user ADD COLUMN stays_until BIGINT;
-- Users who stay disabled although the identity provider says otherwise.
CREATE INDEX directory_user_sticky ON directory_user (directory_pk, pk)
    WHERE reason IN ('MANUAL', 'INACTIVITY_RULE') AND status <> 'active';

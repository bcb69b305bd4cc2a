-- How much a directory holds is shown on many pages: it is counted as it changes, not when somebody looks.

ALTER TABLE directory ADD COLUMN active_users BIGINT NOT NULL DEFAULT 0;
ALTER TABLE directory ADD COLUMN disabled_users BIGINT NOT NULL DEFAULT 0;
ALTER TABLE directory ADD COLUMN group_count BIGINT NOT NULL DEFAULT 0;
UPDATE directory SET
    active_users = (SELECT count(*) FROM directory_user u WHERE u.directory_pk = directory.pk AND u.status = 'active'),
    disabled_users = (SELECT count(*) FROM directory_user u WHERE u.directory_pk = directory.pk AND u.status IN ('disabled', 'anonymised')),
    group_count = (SELECT count(*) FROM directory_group g WHERE g.directory_pk = directory.pk);

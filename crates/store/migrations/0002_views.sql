-- An application sees several directories in an order, instead of one.

CREATE TABLE application_directory (
    application_pk BIGINT NOT NULL REFERENCES application (pk),
    position BIGINT NOT NULL,
    directory_pk BIGINT NOT NULL REFERENCES directory (pk),
    -- JSON array of group names whose members may log in; null lets everybody in.
    login_groups {text},
    -- The position of this directory's journal that the application has fetched up to.
    last_position BIGINT,
    PRIMARY KEY (application_pk, position)
) {without_rowid};
CREATE UNIQUE INDEX application_directory_directory ON application_directory (directory_pk, application_pk);

INSERT INTO application_directory (application_pk, position, directory_pk, login_groups, last_position)
SELECT pk, 0, directory_pk, NULL, last_position FROM application;

ALTER TABLE application DROP COLUMN directory_pk;
ALTER TABLE application DROP COLUMN last_position;
-- Whether a user is in the groups of every directory that has the name, or only in those of the first.
ALTER TABLE application ADD COLUMN aggregate_memberships BIGINT NOT NULL DEFAULT 0;
-- Whether only users who may log in are seen at all.
ALTER TABLE application ADD COLUMN only_with_access BIGINT NOT NULL DEFAULT 0;

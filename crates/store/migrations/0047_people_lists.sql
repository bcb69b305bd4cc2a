-- People are found by the beginning of their first name as well, and those who may log in, or may not, are listed without
-- looking at the others.

CREATE INDEX directory_user_first_name ON directory_user (directory_pk, lower(substr(first_name, 1, 100)))
    WHERE status <> 'removed';
CREATE INDEX directory_user_active ON directory_user (directory_pk, name_fold) WHERE status = 'active';
CREATE INDEX directory_user_inactive ON directory_user (directory_pk, name_fold) WHERE status NOT IN ('active', 'removed');

-- Until when reads of an identity provider are recorded, too.
ALTER TABLE connector ADD COLUMN reads_until BIGINT;

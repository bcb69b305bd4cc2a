-- Memberships with their origins are read for one user at a time, whenever somebody is evaluated: so they lie together
-- by user. The members of a group are read without origins, from an index.

CREATE TABLE membership_by_user (
    group_pk BIGINT NOT NULL REFERENCES directory_group (pk),
    user_pk BIGINT NOT NULL REFERENCES directory_user (pk),
    -- JSON array of [kind, reference] pairs: why the user is in the group.
    origins {text} NOT NULL,
    PRIMARY KEY (user_pk, group_pk)
) {without_rowid};
INSERT INTO membership_by_user (group_pk, user_pk, origins)
    SELECT group_pk, user_pk, origins FROM membership ORDER BY user_pk, group_pk;
DROP TABLE membership;
ALTER TABLE membership_by_user RENAME TO membership;
CREATE INDEX membership_group ON membership (group_pk, user_pk);

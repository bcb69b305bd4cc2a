-- Lists that are sorted, and walked by cursor.

-- With what cursors are sealed, in hexadecimal; the same on every node and after a restart.
ALTER TABLE instance ADD COLUMN cursor_key {text};

-- How many were ever deleted: while the number stands still, nobody has moved forward in the list.
ALTER TABLE connector ADD COLUMN users_deleted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connector ADD COLUMN groups_deleted BIGINT NOT NULL DEFAULT 0;

CREATE INDEX source_user_created ON source_user (connector_pk, created);
CREATE INDEX source_group_created ON source_group (connector_pk, created);

-- Groups in groups, as the products see them.

CREATE TABLE group_nesting (
    parent_pk BIGINT NOT NULL REFERENCES directory_group (pk),
    child_pk BIGINT NOT NULL REFERENCES directory_group (pk),
    -- JSON array of origins, as in membership: why the child is in the parent.
    origins {text} NOT NULL,
    PRIMARY KEY (parent_pk, child_pk)
) {without_rowid};
CREATE INDEX group_nesting_child ON group_nesting (child_pk, parent_pk);

-- Groups whose child groups have to be compared with what a connector's source says.
CREATE TABLE due_nesting (
    connector_pk BIGINT NOT NULL REFERENCES connector (pk),
    group_pk BIGINT NOT NULL REFERENCES directory_group (pk),
    trigger_name {text} NOT NULL,
    actor {text} NOT NULL,
    request {text} NOT NULL,
    PRIMARY KEY (connector_pk, group_pk)
) {without_rowid};
CREATE INDEX due_nesting_group ON due_nesting (group_pk);

-- Of a change of subject nesting, the parent is the group, and this is the child.
ALTER TABLE journal ADD COLUMN child_pk BIGINT;
CREATE INDEX journal_child ON journal (child_pk, pk);

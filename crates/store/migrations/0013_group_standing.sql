-- What was decided about source groups one by one; those of which nothing was decided have no row. What is left
-- behind by groups that are gone means nothing.
CREATE TABLE group_standing (
    source_group_pk BIGINT PRIMARY KEY,
    connector_pk BIGINT NOT NULL,
    -- The name before the IdP renamed the group. Without an end the rules go on with it alone.
    former_name {text},
    former_until BIGINT,
    -- The name that an administrator gave its group.
    own_name {text},
    -- settled, waiting or ignored.
    review {text} NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX group_standing_connector ON group_standing (connector_pk, source_group_pk);
CREATE INDEX group_standing_waiting ON group_standing (source_group_pk) WHERE review = 'waiting';

-- Groups of the directory with work that comes after all that is due about people: to go once nobody is in them
-- (retire), or to lose the members from elsewhere (take_over).
CREATE TABLE due_group (
    connector_pk BIGINT NOT NULL,
    group_pk BIGINT NOT NULL,
    task {text} NOT NULL,
    due_at BIGINT NOT NULL,
    -- Of work in pieces: the user up to whom it is done.
    position BIGINT NOT NULL,
    trigger_name {text} NOT NULL,
    actor {text} NOT NULL,
    request {text} NOT NULL,
    PRIMARY KEY (connector_pk, group_pk, task)
) {without_rowid};
CREATE INDEX due_group_time ON due_group (connector_pk, due_at);
CREATE INDEX due_group_group ON due_group (group_pk);

-- Which groups a source group fed before the rules kept it from doing so: it comes back to them without a question.

CREATE TABLE former_feed (
    source_group_pk BIGINT NOT NULL,
    group_pk BIGINT NOT NULL,
    PRIMARY KEY (source_group_pk, group_pk)
) {without_rowid};
CREATE INDEX former_feed_group ON former_feed (group_pk, source_group_pk);

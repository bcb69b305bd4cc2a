-- Users whom the identity provider deleted before all that it had said of their groups took effect: while their
-- connector was paused, or while that is held. What they were is kept until it has.

CREATE TABLE departed_user (
    user_pk BIGINT PRIMARY KEY REFERENCES directory_user (pk),
    document {text} NOT NULL,
    -- JSON array: the numbers of the source groups that they were in.
    source_groups {text} NOT NULL
);

-- What administrators say about single users beside the rules; and the way back through the journal.

CREATE TABLE user_override (
    pk {id},
    directory_pk BIGINT NOT NULL REFERENCES directory (pk),
    user_pk BIGINT NOT NULL REFERENCES directory_user (pk),
    -- keep_active, exclude, add_to_group, keep_out_of_group or keep_as_is.
    kind {text} NOT NULL,
    -- Of the kinds about groups: the group's name. Of keep_as_is: the mark of what the IdP said.
    about {text},
    ends BIGINT,
    created BIGINT NOT NULL,
    actor {text} NOT NULL,
    comment {text} NOT NULL
);
CREATE INDEX user_override_user ON user_override (user_pk, pk);
CREATE INDEX user_override_directory ON user_override (directory_pk, pk);
CREATE INDEX user_override_ends ON user_override (ends) WHERE ends IS NOT NULL;

-- What became of groups, which entries about users name as they were called at the time.
CREATE INDEX journal_of_groups ON journal (directory_pk, pk) WHERE subject = 'group';
-- Users who are gone are found by the name they had.
CREATE INDEX directory_user_removed_name ON directory_user (directory_pk, name_fold) WHERE status = 'removed';

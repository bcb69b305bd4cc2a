-- What is held about a group in a group is found by the two.
CREATE INDEX hold_child ON hold (directory_pk, group_fold) WHERE user_pk IS NULL;

-- People are found by the beginning of their full name and of their last name. Letters other than those of ASCII are kept
-- as they are, the same on both engines; of a long name the beginning is enough.

CREATE INDEX directory_user_display_name ON directory_user (directory_pk, lower(substr(display_name, 1, 100)))
    WHERE status <> 'removed';
CREATE INDEX directory_user_last_name ON directory_user (directory_pk, lower(substr(last_name, 1, 100)))
    WHERE status <> 'removed';

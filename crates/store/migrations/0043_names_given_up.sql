-- Names that users and groups gave up, so that whoever had one is found by it, as long as the journal tells of that.

-- The folded name that the subject gave up by this change; null if it kept its name.
ALTER TABLE journal ADD COLUMN given_up_fold {text};
UPDATE journal SET given_up_fold = lower(known_as) WHERE known_as IS NOT NULL AND (
    (subject = 'user' AND (change LIKE '{"change":"rename_user"%' OR change LIKE '{"change":"remove_user"%'))
    OR (subject = 'group' AND (change LIKE '{"change":"rename_group"%' OR change LIKE '{"change":"delete_group"%')));
CREATE INDEX journal_given_up ON journal (directory_pk, given_up_fold, pk) WHERE given_up_fold IS NOT NULL;

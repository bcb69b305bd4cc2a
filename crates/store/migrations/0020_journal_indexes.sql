-- Most entries are about users alone: those about groups are found by indexes that have no others, so that an entry
-- about a user costs two indexes less.

DROP INDEX journal_group;
CREATE INDEX journal_group ON journal (group_pk, pk) WHERE group_pk IS NOT NULL;
DROP INDEX journal_child;
CREATE INDEX journal_child ON journal (child_pk, pk) WHERE child_pk IS NOT NULL;

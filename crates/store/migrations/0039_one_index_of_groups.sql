-- What journal_groups has as well.

DROP INDEX journal_of_groups;

-- Whose work it was is found without reading the journal through: by request, and by actor.
CREATE INDEX journal_request ON journal (directory_pk, request, pk);
CREATE INDEX journal_actor ON journal (directory_pk, actor, pk);
-- What became of groups themselves: few entries among many.
CREATE INDEX journal_groups ON journal (directory_pk, pk) WHERE subject = 'group';
-- An entry is about a user or a group or both; it is to cost nothing where it is about neither.
DROP INDEX journal_user;
CREATE INDEX journal_user ON journal (user_pk, pk) WHERE user_pk IS NOT NULL;
DROP INDEX journal_group;
CREATE INDEX journal_group ON journal (group_pk, pk) WHERE group_pk IS NOT NULL;

-- Users whom a job has still to undo.
CREATE TABLE job_user (
    job_pk BIGINT NOT NULL REFERENCES job (pk),
    user_pk BIGINT NOT NULL,
    PRIMARY KEY (job_pk, user_pk)
) {without_rowid};

-- Memory of the process in bytes: when the job was asked for, and the most of it since. The mark is the most that the
-- process had ever had until then.
ALTER TABLE job ADD COLUMN memory_start BIGINT;
ALTER TABLE job ADD COLUMN memory_peak BIGINT;
ALTER TABLE job ADD COLUMN memory_mark BIGINT;

-- Accounts that exist already: how a user met one, what was decided, and what is copied from other servers.

-- By what user and account were taken for one person: username, email or attribute.
ALTER TABLE name_conflict ADD COLUMN matched {text} NOT NULL DEFAULT 'username';
-- Somebody decided that they are two people.
ALTER TABLE name_conflict ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;

-- Finds accounts by what no rule wrote. Long values are nobody's number, and would not fit an index.
CREATE INDEX user_attribute_value ON user_attribute (name_fold, vals) WHERE origin <> 'rule' AND length(vals) <= 400;

CREATE TABLE directory_import (
    pk {id},
    public_id {text} NOT NULL,
    directory_pk BIGINT NOT NULL REFERENCES directory (pk),
    -- What it comes from, for people: a file's name, an address.
    source {text} NOT NULL,
    actor {text} NOT NULL,
    -- staging, running, done.
    state {text} NOT NULL,
    -- Pieces there are, and pieces that are done.
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    -- JSON: how many of what were made, changed, left alone.
    counts {text} NOT NULL,
    started BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX directory_import_public_id ON directory_import (public_id);
CREATE INDEX directory_import_directory ON directory_import (directory_pk, pk);
CREATE INDEX directory_import_running ON directory_import (pk) WHERE state = 'running';

-- What is still to be copied, piece by piece, so that it goes on after a restart.
CREATE TABLE directory_import_piece (
    import_pk BIGINT NOT NULL REFERENCES directory_import (pk),
    position BIGINT NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (import_pk, position)
) {without_rowid};

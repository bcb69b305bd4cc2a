-- Changing rules: every version of them, what a change would do, and the tests that rules have to pass.

CREATE TABLE rules_version (
    connector_pk BIGINT NOT NULL REFERENCES connector (pk),
    -- 1, 2, 3 ... for each connector; the newest are the rules in force.
    number BIGINT NOT NULL,
    rules {text} NOT NULL,
    author {text} NOT NULL,
    comment {text} NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (connector_pk, number)
);
INSERT INTO rules_version (connector_pk, number, rules, author, comment, created)
    SELECT pk, 1, rules, '', '', updated FROM connector;

-- JSON array of tests; a connector without tests has no row.
CREATE TABLE rule_tests (
    connector_pk BIGINT PRIMARY KEY REFERENCES connector (pk),
    tests {text} NOT NULL
);

CREATE TABLE preview (
    pk {id},
    public_id {text} NOT NULL,
    connector_pk BIGINT NOT NULL REFERENCES connector (pk),
    -- running, done or failed.
    state {text} NOT NULL,
    author {text} NOT NULL,
    rules {text} NOT NULL,
    -- JSON: the user or the group that it is confined to.
    confined {text} NOT NULL,
    -- Users to look at, and users looked at.
    total BIGINT NOT NULL,
    looked_at BIGINT NOT NULL,
    -- JSON, once it is done: the state of the data that it looked at; how many users have which operation.
    fingerprint {text} NOT NULL,
    summary {text} NOT NULL,
    -- Why it failed; empty if it did not.
    error {text} NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX preview_public_id ON preview (public_id);
CREATE INDEX preview_connector ON preview (connector_pk, pk);
CREATE INDEX preview_updated ON preview (updated);

-- Users for whom something would change, or cannot.
CREATE TABLE preview_item (
    preview_pk BIGINT NOT NULL REFERENCES preview (pk),
    number BIGINT NOT NULL,
    -- The names before and after and at the identity provider, to search in.
    names_fold {text} NOT NULL,
    -- One bit for each operation.
    operations BIGINT NOT NULL,
    document {text} NOT NULL,
    PRIMARY KEY (preview_pk, number)
) {without_rowid};

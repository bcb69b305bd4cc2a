-- Several connectors of one directory know the same person.

-- JSON: whose word counts; null where an account is spoken of by one connector alone.
ALTER TABLE directory ADD COLUMN precedence {text};

-- Users of the source who speak of an account that belongs to another connector.
CREATE TABLE contribution (
    source_user_pk BIGINT PRIMARY KEY REFERENCES source_user (pk),
    connector_pk BIGINT NOT NULL REFERENCES connector (pk),
    user_pk BIGINT NOT NULL REFERENCES directory_user (pk),
    -- username, email or attribute: by what both were taken for one person.
    matched {text} NOT NULL,
    -- JSON: what the connector gives; empty if nothing.
    given {text} NOT NULL
);
CREATE INDEX contribution_user ON contribution (user_pk);
CREATE INDEX contribution_connector ON contribution (connector_pk);

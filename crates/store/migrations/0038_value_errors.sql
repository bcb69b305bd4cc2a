-- Users of the source for whom the rules give a value that cannot be used: products keep the old one meanwhile.

CREATE TABLE value_error (
    source_user_pk BIGINT PRIMARY KEY REFERENCES source_user (pk),
    connector_pk BIGINT NOT NULL,
    -- JSON: target and message of each.
    errors {text} NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX value_error_connector ON value_error (connector_pk, source_user_pk);

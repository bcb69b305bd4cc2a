-- What switches of the rules keep back (MO-05 to MO-08), noted as it is decided. Of users of the source it stands beside the
-- values that cannot be used, as both come from the same look at them.

-- JSON: the switches; and since when.
ALTER TABLE value_error ADD COLUMN suppressed {text} NOT NULL DEFAULT '[]';
ALTER TABLE value_error ADD COLUMN suppressed_since BIGINT NOT NULL DEFAULT 0;
DROP INDEX value_error_connector;
CREATE INDEX value_error_connector ON value_error (connector_pk, source_user_pk) WHERE errors <> '[]';
CREATE INDEX value_error_suppressed ON value_error (connector_pk, source_user_pk) WHERE suppressed <> '[]';

-- The same of accounts whose user the IdP deleted.
CREATE TABLE suppressed_account (
    user_pk BIGINT PRIMARY KEY REFERENCES directory_user (pk),
    connector_pk BIGINT NOT NULL,
    suppressed {text} NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX suppressed_account_connector ON suppressed_account (connector_pk, user_pk);

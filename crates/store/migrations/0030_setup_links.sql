-- Links that show the set-up of one connector to somebody who has no account here.

CREATE TABLE setup_link (
    hash {text} PRIMARY KEY,
    public_id {text} NOT NULL,
    connector_pk BIGINT NOT NULL REFERENCES connector (pk),
    -- The token that was made by it last; null if none was.
    token_id {text},
    created_by {text} NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    last_opened BIGINT
) {without_rowid};
CREATE UNIQUE INDEX setup_link_public_id ON setup_link (public_id);
CREATE INDEX setup_link_connector ON setup_link (connector_pk);

-- Tokens that may only read, or only be used from certain addresses; clients that get their tokens here.

-- read-write or read-only.
ALTER TABLE token ADD COLUMN access {text} NOT NULL DEFAULT 'read-write';
-- JSON array of addresses and CIDR ranges; empty means any.
ALTER TABLE token ADD COLUMN addresses {text} NOT NULL DEFAULT '[]';

-- Clients of a connector: an id, and secrets with which they get access tokens (RFC 6749 section 4.4).
CREATE TABLE client (
    pk {id},
    public_id {text} NOT NULL,
    connector_pk BIGINT NOT NULL REFERENCES connector (pk),
    label {text} NOT NULL,
    access {text} NOT NULL,
    addresses {text} NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT,
    last_address {text}
);
CREATE UNIQUE INDEX client_public_id ON client (public_id);
CREATE INDEX client_connector ON client (connector_pk);

CREATE TABLE client_secret (
    pk {id},
    public_id {text} NOT NULL,
    client_pk BIGINT NOT NULL REFERENCES client (pk),
    -- SHA-256 of the secret in hexadecimal, as of every other generated secret.
    hash {text} NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT
);
CREATE UNIQUE INDEX client_secret_hash ON client_secret (hash);
CREATE INDEX client_secret_client ON client_secret (client_pk);

-- What a client was given for a secret. Ends with the secret if that is revoked.
CREATE TABLE access_token (
    hash {text} PRIMARY KEY,
    secret_pk BIGINT NOT NULL REFERENCES client_secret (pk),
    access {text} NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
) {without_rowid};
CREATE INDEX access_token_secret ON access_token (secret_pk, created);
CREATE INDEX access_token_expires ON access_token (expires);

-- People who administer this server in the console.

CREATE TABLE administrator (
    pk {id},
    public_id {text} NOT NULL,
    name {text} NOT NULL,
    name_fold {text} NOT NULL,
    -- owner, operator or auditor.
    role {text} NOT NULL,
    -- argon2id hash as a PHC string.
    password_hash {text} NOT NULL,
    -- Wrong passwords since the last right one, and until when no password is looked at.
    failures BIGINT NOT NULL,
    locked_until BIGINT,
    created BIGINT NOT NULL,
    last_sign_in BIGINT
);
CREATE UNIQUE INDEX administrator_public_id ON administrator (public_id);
CREATE UNIQUE INDEX administrator_name ON administrator (name_fold);

-- Links that make an administrator, or give one a new password; each is good once.
CREATE TABLE invitation (
    hash {text} PRIMARY KEY,
    public_id {text} NOT NULL,
    role {text} NOT NULL,
    -- Whose password it renews; null for somebody new.
    administrator_pk BIGINT REFERENCES administrator (pk),
    created_by {text} NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
) {without_rowid};
CREATE UNIQUE INDEX invitation_public_id ON invitation (public_id);
CREATE INDEX invitation_administrator ON invitation (administrator_pk);

-- Who is signed in to the console, by the SHA-256 of what the cookie holds.
CREATE TABLE administrator_session (
    hash {text} PRIMARY KEY,
    administrator_pk BIGINT NOT NULL REFERENCES administrator (pk),
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    -- When it ends unless it is used before, and when in any case.
    expires BIGINT NOT NULL,
    ends BIGINT NOT NULL
) {without_rowid};
CREATE INDEX administrator_session_administrator ON administrator_session (administrator_pk);
CREATE INDEX administrator_session_expires ON administrator_session (expires);

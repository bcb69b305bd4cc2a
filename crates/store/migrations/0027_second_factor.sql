-- The second factor of administrators (RFC 6238), and settings of the server that owners change.

-- What the codes are made from, sealed with the key that is not in the database; null without a second factor.
ALTER TABLE administrator ADD COLUMN totp_secret {text};
-- Since when it is asked for; null while it is being set up.
ALTER TABLE administrator ADD COLUMN totp_since BIGINT;
-- The step of time of the code that was taken last: no code is taken twice.
ALTER TABLE administrator ADD COLUMN totp_step BIGINT;

-- What the session is good for: everything (full), showing the second factor (code), setting one up (enrol).
ALTER TABLE administrator_session ADD COLUMN stage {text} NOT NULL DEFAULT 'full';

-- Codes that stand in for a lost second factor, by their SHA-256; each is good once.
CREATE TABLE recovery_code (
    hash {text} PRIMARY KEY,
    administrator_pk BIGINT NOT NULL REFERENCES administrator (pk),
    created BIGINT NOT NULL
) {without_rowid};
CREATE INDEX recovery_code_administrator ON recovery_code (administrator_pk);

-- Settings of the server that are no settings of one connector or application: JSON by name. No row is the default.
CREATE TABLE setting (
    name {text} PRIMARY KEY,
    value {text} NOT NULL
) {without_rowid};

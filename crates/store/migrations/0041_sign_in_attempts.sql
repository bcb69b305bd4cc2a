-- Attempts to sign in by names that nobody has, who made an invitation, and when somebody last showed the password.

-- They cost the same waiting as those at an administrator, so that the waiting tells no name. By the SHA-256 of the name.
CREATE TABLE unknown_name (
    hash {text} PRIMARY KEY,
    failures BIGINT NOT NULL,
    -- Until when no password is looked at; in the past it tells when it was last tried.
    locked_until BIGINT NOT NULL
) {without_rowid};
CREATE INDEX unknown_name_locked_until ON unknown_name (locked_until);

-- The id of the administrator or token that made it; null for the command line and the first start.
ALTER TABLE invitation ADD COLUMN created_by_id {text};
CREATE INDEX invitation_created_by_id ON invitation (created_by_id);

-- When whose session it is last showed the password in it.
ALTER TABLE administrator_session ADD COLUMN proved BIGINT NOT NULL DEFAULT 0;
UPDATE administrator_session SET proved = created;

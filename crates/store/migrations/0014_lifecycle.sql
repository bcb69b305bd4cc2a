-- What becomes of users: stages of cleanup, log-ins, and rules that look at other users.

-- Since when the account is to be cleaned up; from when on days without a log-in count.
ALTER TABLE directory_user ADD COLUMN cleaned_up_since BIGINT;
ALTER TABLE directory_user ADD COLUMN active_since BIGINT;
-- The last log-in that a product told of, to the minute or so.
ALTER TABLE directory_user ADD COLUMN last_login BIGINT;
-- When an account whose user the IdP deleted is to be looked at again.
ALTER TABLE directory_user ADD COLUMN due_at BIGINT;
CREATE INDEX directory_user_due ON directory_user (connector_pk, due_at) WHERE due_at IS NOT NULL;

-- Whom the rules looked for when they decided about a user, whether found or not.
CREATE TABLE look_up (
    connector_pk BIGINT NOT NULL,
    -- id, userName or externalId.
    sought_by {text} NOT NULL,
    -- As it is compared: of a userName its fold.
    value {text} NOT NULL,
    -- The user about whom was decided.
    user_pk BIGINT NOT NULL REFERENCES source_user (pk),
    PRIMARY KEY (connector_pk, sought_by, value, user_pk)
) {without_rowid};
CREATE INDEX look_up_user ON look_up (user_pk);

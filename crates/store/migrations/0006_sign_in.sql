-- Signing in through products: sessions, what an application says about them, passwords kept here; and webhooks.

-- Sessions that applications share (single sign-on). A row whose user is gone means nothing and is pruned.
CREATE TABLE sso_session (
    pk {id},
    -- SHA-256 of the token in hexadecimal; the token itself is never stored.
    hash {text} NOT NULL,
    -- What the token is derived from, with a key that is not in the database.
    salt {text} NOT NULL,
    directory_pk BIGINT NOT NULL,
    user_pk BIGINT NOT NULL,
    -- JSON array of [name, value] pairs, in order: what the session is bound to.
    factors {text} NOT NULL,
    -- The name of the application that began it.
    application {text} NOT NULL,
    created BIGINT NOT NULL,
    -- Microseconds without use after which it ends.
    idle BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    -- It ends then, however much it is used.
    ends BIGINT NOT NULL
);
CREATE UNIQUE INDEX sso_session_hash ON sso_session (hash);
CREATE INDEX sso_session_of_user ON sso_session (user_pk, pk);
CREATE INDEX sso_session_expires ON sso_session (expires);

-- How people sign in with an application: JSON. No row is the default.
CREATE TABLE application_sign_in (
    application_pk BIGINT PRIMARY KEY,
    settings {text} NOT NULL
);

-- Passwords of users who are kept here, by no identity provider.
CREATE TABLE user_password (
    user_pk BIGINT PRIMARY KEY,
    hash {text} NOT NULL,
    expired BIGINT NOT NULL
);

-- Whether products may make users in a directory, and change and remove those.
ALTER TABLE directory ADD COLUMN local_users BIGINT NOT NULL DEFAULT 0;

-- Where applications want to hear that there is something new.
CREATE TABLE webhook (
    pk {id},
    application_pk BIGINT NOT NULL,
    url {text} NOT NULL,
    -- What the endpoint recognises us by. It opens nothing, so it is kept as it is.
    token {text},
    -- JSON array of [directory, position] pairs: what the endpoint has been told of.
    told {text} NOT NULL,
    created BIGINT NOT NULL,
    -- Attempts that failed since the last success, and since when.
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    last_error {text},
    last_success BIGINT,
    -- Not before then; while it is being called, when to believe that its caller is gone.
    next_try BIGINT NOT NULL,
    -- Set when it failed for too long; it is left alone until somebody enables it.
    disabled BIGINT
);
CREATE UNIQUE INDEX webhook_url ON webhook (application_pk, url);
CREATE INDEX webhook_next_try ON webhook (next_try, pk) WHERE disabled IS NULL;

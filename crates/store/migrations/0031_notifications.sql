-- Channels by which administrators are told of what stands, and what each was told.

CREATE TABLE notification_channel (
    pk {id},
    public_id {text} NOT NULL,
    name {text} NOT NULL,
    name_fold {text} NOT NULL,
    -- JSON: how it tells, by mail, webhook or chat, with its settings.
    way {text} NOT NULL,
    -- The password, the key of the signature or the URL of the chat, sealed with a key that is not in the database.
    sealed {text},
    -- JSON array of the events that it tells; null for all.
    events {text},
    -- JSON array of the connectors that it tells of; null for all.
    connectors {text},
    every_minutes BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    created BIGINT NOT NULL,
    -- Attempts that failed since the last success, and since when.
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    last_error {text},
    last_success BIGINT,
    -- What was said when it last took a message.
    last_answer {text},
    -- Not before then; while a message is being sent, when to believe that its sender is gone.
    next_try BIGINT NOT NULL
);
CREATE UNIQUE INDEX notification_channel_public_id ON notification_channel (public_id);
CREATE UNIQUE INDEX notification_channel_name ON notification_channel (name_fold);

CREATE TABLE notification_told (
    channel_pk BIGINT NOT NULL REFERENCES notification_channel (pk),
    key {text} NOT NULL,
    mark BIGINT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (channel_pk, key)
) {without_rowid};

-- When an evaluation first failed that is tried again, and why it last did.
ALTER TABLE due ADD COLUMN failed BIGINT;
ALTER TABLE due ADD COLUMN failure {text};
CREATE INDEX due_failed ON due (connector_pk, failed) WHERE failed IS NOT NULL;

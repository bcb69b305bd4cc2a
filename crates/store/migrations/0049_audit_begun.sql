-- Changes of administrators that are being carried out. A row goes with the entry of the audit log that tells how it ended; one that
-- stays is of a program that was stopped meanwhile.

CREATE TABLE audit_begun (
    pk {id},
    at BIGINT NOT NULL,
    -- JSON: what is known of the entry before the change.
    draft {text} NOT NULL
);
CREATE INDEX audit_begun_at ON audit_begun (at);

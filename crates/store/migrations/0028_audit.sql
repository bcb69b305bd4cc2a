-- What administrators did, and who tried: the audit log.

CREATE TABLE audit_entry (
    -- Grows with time; the order of the chain.
    pk {id},
    at BIGINT NOT NULL,
    -- administrator, token, command_line, or nobody for who did not prove to be somebody.
    actor_kind {text} NOT NULL,
    -- The id of the administrator or token; null for the others.
    actor_id {text},
    actor {text} NOT NULL,
    actor_fold {text} NOT NULL,
    address {text},
    -- The id of the request, as in its answer and in the journal.
    request {text} NOT NULL,
    action {text} NOT NULL,
    -- What it was done to: a path of the admin API.
    target {text} NOT NULL,
    -- Whether it was done: 1, or 0 if it was refused or failed.
    succeeded BIGINT NOT NULL,
    -- What was asked for without secrets, or why it was refused.
    detail {text} NOT NULL,
    -- SHA-256 over the digest of the entry before and this entry: who changes or removes one has to change all behind it.
    digest {text} NOT NULL
);
CREATE INDEX audit_entry_at ON audit_entry (at);
CREATE INDEX audit_entry_actor ON audit_entry (actor_fold, pk);
CREATE INDEX audit_entry_action ON audit_entry (action, pk);

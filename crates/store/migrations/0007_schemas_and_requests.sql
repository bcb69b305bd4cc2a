-- Schemas that an administrator registered, and the record of what identity providers asked for.

CREATE TABLE connector_schema (
    connector_pk BIGINT NOT NULL REFERENCES connector (pk),
    urn_fold {text} NOT NULL,
    of_users BIGINT NOT NULL,
    of_groups BIGINT NOT NULL,
    required BIGINT NOT NULL,
    -- The document of RFC 7643, section 7.
    document {text} NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    PRIMARY KEY (connector_pk, urn_fold)
) {without_rowid};

-- Values that no two users, or no two groups, of a connector may have alike.
CREATE TABLE unique_value (
    connector_pk BIGINT NOT NULL,
    -- User or Group.
    kind {text} NOT NULL,
    -- URN and name of the attribute, folded.
    attribute {text} NOT NULL,
    -- As it is compared.
    value {text} NOT NULL,
    resource_pk BIGINT NOT NULL,
    PRIMARY KEY (connector_pk, kind, attribute, value)
) {without_rowid};

CREATE TABLE scim_request (
    pk {id},
    connector_pk BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- Microseconds until the answer.
    took BIGINT NOT NULL,
    -- The id that the answer and the journal have too.
    request {text} NOT NULL,
    method {text} NOT NULL,
    path {text} NOT NULL,
    operation {text} NOT NULL,
    status BIGINT NOT NULL,
    resource_type {text},
    resource_id {text},
    resource_name {text},
    resource_name_fold {text},
    scim_type {text},
    detail {text},
    warning_count BIGINT NOT NULL,
    -- JSON array of what was ignored, and why.
    warnings {text} NOT NULL,
    token {text},
    actor {text} NOT NULL,
    client {text} NOT NULL,
    body_cut BIGINT NOT NULL,
    -- Without secrets. The last column, so that lists don't read it.
    body {text}
);
CREATE INDEX scim_request_list ON scim_request (connector_pk, pk);
CREATE INDEX scim_request_resource ON scim_request (connector_pk, resource_id, pk);
CREATE INDEX scim_request_failed ON scim_request (connector_pk, pk) WHERE status >= 400;
CREATE INDEX scim_request_warned ON scim_request (connector_pk, pk) WHERE warning_count > 0;
-- Who has no id is known by the name.
CREATE INDEX scim_request_name ON scim_request (connector_pk, resource_name_fold, pk);

CREATE INDEX name_conflict_connector ON name_conflict (connector_pk, source_user_pk);

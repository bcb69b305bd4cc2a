-- The spine: connectors and their tokens, the source, the directory, the journal.
-- One text for both engines; see migrate.rs for the four placeholders.
-- Flags are BIGINT 0 or 1, times BIGINT microseconds since 1970, documents JSON text.
-- A column named *_fold holds scim::fold of its neighbour: the only form ever compared.

-- One row: which store this is, and the row that serialises writers of settings.
CREATE TABLE instance (
    pk BIGINT PRIMARY KEY,
    store_id {text} NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE directory (
    pk {id},
    public_id {text} NOT NULL,
    name {text} NOT NULL,
    name_fold {text} NOT NULL,
    -- Event tokens below this journal position are expired.
    journal_floor BIGINT NOT NULL,
    created BIGINT NOT NULL
);
CREATE UNIQUE INDEX directory_public_id ON directory (public_id);
CREATE UNIQUE INDEX directory_name ON directory (name_fold);

CREATE TABLE connector (
    pk {id},
    public_id {text} NOT NULL,
    name {text} NOT NULL,
    name_fold {text} NOT NULL,
    preset {text} NOT NULL,
    state {text} NOT NULL,
    directory_pk BIGINT NOT NULL REFERENCES directory (pk),
    rules {text} NOT NULL,
    settings {text} NOT NULL,
    -- Grows with every change, so that caches know when to reload.
    version BIGINT NOT NULL,
    user_count BIGINT NOT NULL,
    group_count BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX connector_public_id ON connector (public_id);
CREATE UNIQUE INDEX connector_name ON connector (name_fold);

-- Credentials of SCIM clients (kind scim, bound to a connector) and of administrators (kind api).
CREATE TABLE token (
    pk {id},
    public_id {text} NOT NULL,
    kind {text} NOT NULL,
    connector_pk BIGINT REFERENCES connector (pk),
    label {text} NOT NULL,
    -- SHA-256 of the token in hexadecimal; the token itself is never stored.
    hash {text} NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    last_used BIGINT,
    last_address {text}
);
CREATE UNIQUE INDEX token_hash ON token (hash);
CREATE UNIQUE INDEX token_public_id ON token (public_id);
CREATE INDEX token_connector ON token (connector_pk);

-- Products that attach a directory through the Crowd REST API.
CREATE TABLE application (
    pk {id},
    public_id {text} NOT NULL,
    name {text} NOT NULL,
    name_fold {text} NOT NULL,
    password_hash {text} NOT NULL,
    access {text} NOT NULL,
    -- JSON array of addresses and CIDR ranges; empty means any.
    addresses {text} NOT NULL,
    directory_pk BIGINT NOT NULL REFERENCES directory (pk),
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    last_seen BIGINT,
    last_position BIGINT
);
CREATE UNIQUE INDEX application_public_id ON application (public_id);
CREATE UNIQUE INDEX application_name ON application (name_fold);

-- Source: exactly what the IdP wrote.

CREATE TABLE source_user (
    pk {id},
    connector_pk BIGINT NOT NULL REFERENCES connector (pk),
    id {text} NOT NULL,
    user_name_fold {text} NOT NULL,
    external_id {text},
    display_name_fold {text},
    active BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    document {text} NOT NULL
);
CREATE UNIQUE INDEX source_user_id ON source_user (connector_pk, id);
CREATE UNIQUE INDEX source_user_user_name ON source_user (connector_pk, user_name_fold);
CREATE INDEX source_user_external_id ON source_user (connector_pk, external_id);
CREATE INDEX source_user_display_name ON source_user (connector_pk, display_name_fold);
CREATE INDEX source_user_modified ON source_user (connector_pk, modified);
-- Lists go by number: pages are passed over, and inactive users found, without touching the documents.
CREATE INDEX source_user_list ON source_user (connector_pk, pk, active);

CREATE TABLE source_email (
    connector_pk BIGINT NOT NULL,
    value_fold {text} NOT NULL,
    user_pk BIGINT NOT NULL REFERENCES source_user (pk),
    PRIMARY KEY (connector_pk, value_fold, user_pk)
) {without_rowid};
CREATE INDEX source_email_user ON source_email (user_pk);

CREATE TABLE source_password (
    user_pk BIGINT PRIMARY KEY REFERENCES source_user (pk),
    hash {text} NOT NULL
);

CREATE TABLE source_group (
    pk {id},
    connector_pk BIGINT NOT NULL REFERENCES connector (pk),
    id {text} NOT NULL,
    display_name {text} NOT NULL,
    display_name_fold {text} NOT NULL,
    external_id {text},
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    -- Users and groups in it; pending references are not counted.
    member_count BIGINT NOT NULL,
    document {text} NOT NULL
);
CREATE UNIQUE INDEX source_group_id ON source_group (connector_pk, id);
CREATE UNIQUE INDEX source_group_display_name ON source_group (connector_pk, display_name_fold);
CREATE INDEX source_group_external_id ON source_group (connector_pk, external_id);
CREATE INDEX source_group_modified ON source_group (connector_pk, modified);
CREATE INDEX source_group_list ON source_group (connector_pk, pk);

CREATE TABLE source_member (
    group_pk BIGINT NOT NULL REFERENCES source_group (pk),
    user_pk BIGINT NOT NULL REFERENCES source_user (pk),
    PRIMARY KEY (group_pk, user_pk)
) {without_rowid};
CREATE INDEX source_member_user ON source_member (user_pk, group_pk);

-- Groups that the IdP put into groups.
CREATE TABLE source_group_member (
    group_pk BIGINT NOT NULL REFERENCES source_group (pk),
    child_pk BIGINT NOT NULL REFERENCES source_group (pk),
    PRIMARY KEY (group_pk, child_pk)
) {without_rowid};
CREATE INDEX source_group_member_child ON source_group_member (child_pk, group_pk);

-- Members named by an id that no user or group has yet; they join when it appears.
CREATE TABLE pending_reference (
    connector_pk BIGINT NOT NULL,
    value {text} NOT NULL,
    group_pk BIGINT NOT NULL REFERENCES source_group (pk),
    PRIMARY KEY (connector_pk, value, group_pk)
) {without_rowid};
CREATE INDEX pending_reference_group ON pending_reference (group_pk);

-- Users whose evaluation is owed, now or at a later time (a grace delay that ends).
CREATE TABLE due (
    user_pk BIGINT PRIMARY KEY REFERENCES source_user (pk),
    connector_pk BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    trigger_name {text} NOT NULL,
    actor {text} NOT NULL,
    request {text} NOT NULL
);
CREATE INDEX due_connector ON due (connector_pk, due_at, user_pk);
CREATE INDEX due_time ON due (due_at);

-- Directory: what the products see.

CREATE TABLE directory_user (
    pk {id},
    directory_pk BIGINT NOT NULL REFERENCES directory (pk),
    -- The Crowd key: constant for life, never given to a second person.
    key {text} NOT NULL,
    connector_pk BIGINT REFERENCES connector (pk),
    source_user_pk BIGINT,
    external_id {text},
    name {text} NOT NULL,
    name_fold {text} NOT NULL,
    first_name {text} NOT NULL,
    last_name {text} NOT NULL,
    display_name {text} NOT NULL,
    email {text} NOT NULL,
    email_fold {text} NOT NULL,
    -- active, disabled, or removed (a tombstone, which keeps the key for a return).
    status {text} NOT NULL,
    reason {text} NOT NULL,
    out_of_scope_since BIGINT,
    -- JSON array of group names to give back when a removed user returns.
    restore {text} NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX directory_user_key ON directory_user (key);
CREATE UNIQUE INDEX directory_user_name ON directory_user (directory_pk, name_fold) WHERE status <> 'removed';
CREATE INDEX directory_user_email ON directory_user (directory_pk, email_fold);
CREATE INDEX directory_user_source ON directory_user (source_user_pk);
-- Accounts whose user the IdP deleted while the connector was paused.
CREATE INDEX directory_user_orphan ON directory_user (connector_pk) WHERE source_user_pk IS NULL AND status = 'active';
CREATE INDEX directory_user_external_id ON directory_user (connector_pk, external_id);
-- Deleted by the IdP while nothing was to have effect: few, among many that were deleted and settled.
CREATE INDEX directory_user_left_behind ON directory_user (connector_pk, pk)
    WHERE source_user_pk IS NULL AND status = 'active' AND reason <> 'IDP_DELETED';

CREATE TABLE directory_group (
    pk {id},
    directory_pk BIGINT NOT NULL REFERENCES directory (pk),
    name {text} NOT NULL,
    name_fold {text} NOT NULL,
    description {text} NOT NULL,
    -- Made by a product or an administrator, not by the IdP or a rule.
    is_local BIGINT NOT NULL,
    created BIGINT NOT NULL,
    updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX directory_group_name ON directory_group (directory_pk, name_fold);

-- Which source groups feed which group.
CREATE TABLE group_binding (
    source_group_pk BIGINT PRIMARY KEY REFERENCES source_group (pk),
    group_pk BIGINT NOT NULL REFERENCES directory_group (pk)
);
CREATE INDEX group_binding_group ON group_binding (group_pk);

CREATE TABLE membership (
    group_pk BIGINT NOT NULL REFERENCES directory_group (pk),
    user_pk BIGINT NOT NULL REFERENCES directory_user (pk),
    -- JSON array of [kind, reference] pairs: why the user is in the group.
    origins {text} NOT NULL,
    PRIMARY KEY (group_pk, user_pk)
) {without_rowid};
CREATE INDEX membership_user ON membership (user_pk, group_pk);

CREATE TABLE user_attribute (
    user_pk BIGINT NOT NULL REFERENCES directory_user (pk),
    name_fold {text} NOT NULL,
    name {text} NOT NULL,
    -- JSON array of texts.
    vals {text} NOT NULL,
    -- rule: computed by the mapping; local: written by a product.
    origin {text} NOT NULL,
    PRIMARY KEY (user_pk, name_fold)
) {without_rowid};

CREATE TABLE group_attribute (
    group_pk BIGINT NOT NULL REFERENCES directory_group (pk),
    name_fold {text} NOT NULL,
    name {text} NOT NULL,
    vals {text} NOT NULL,
    PRIMARY KEY (group_pk, name_fold)
) {without_rowid};

-- Source users who got no account, or not the name they should have, because it is taken.
CREATE TABLE name_conflict (
    source_user_pk BIGINT PRIMARY KEY REFERENCES source_user (pk),
    connector_pk BIGINT NOT NULL,
    directory_pk BIGINT NOT NULL,
    name_fold {text} NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX name_conflict_name ON name_conflict (directory_pk, name_fold);

-- The ordered record of every change of a directory. Within one directory the
-- numbers grow in commit order, because its writers are serial.
CREATE TABLE journal (
    pk {id},
    directory_pk BIGINT NOT NULL REFERENCES directory (pk),
    at BIGINT NOT NULL,
    -- user, group or membership.
    subject {text} NOT NULL,
    user_pk BIGINT,
    group_pk BIGINT,
    -- What the subject was called before this change; null when it is new.
    known_as {text},
    change {text} NOT NULL,
    -- Whether products can see a difference.
    visible BIGINT NOT NULL,
    trigger_name {text} NOT NULL,
    connector_pk BIGINT,
    actor {text} NOT NULL,
    request {text} NOT NULL
);
CREATE INDEX journal_directory ON journal (directory_pk, pk);
CREATE INDEX journal_user ON journal (user_pk, pk);
CREATE INDEX journal_group ON journal (group_pk, pk);

//! What the admin API tells about the groups of a connector.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A group as the identity provider has it, and what has become of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectorGroupView {
    /// The SCIM `id`.
    pub id: String,
    /// Its `displayName`.
    pub name: String,
    /// Users and groups in it.
    pub members: i64,
    /// What it has come to.
    pub state: String,
    /// The groups that its members get.
    pub groups: Vec<String>,
    /// The entry of `groups.protected` that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_by: Option<String>,
    /// What is wrong with what the rules make of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_fault: Option<String>,
    /// The former name that the rules go on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_name: Option<String>,
    /// The former name that it has beside the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<AliasView>,
    /// The name that an administrator gave its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_name: Option<String>,
    /// When any of this was last decided or noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What a waiting group waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingGroupView>,
}

/// A former name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AliasView {
    /// The name.
    pub name: String,
    /// When it ends.
    pub until: Timestamp,
}

/// A group that has members from elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExistingGroupView {
    /// Its name.
    pub name: String,
    /// Whether it was made here or by a product.
    pub local: bool,
    /// Users in it.
    pub members: i64,
    /// Users whom adopting or merging adds.
    pub would_add: i64,
    /// Users whom adopting takes out.
    pub would_remove: i64,
}

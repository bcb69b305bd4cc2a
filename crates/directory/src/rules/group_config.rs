//! The rules about groups as an administrator writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OnNoMatch, RuleState, Step};

/// Which groups users get, under which names (US-15 to US-25).
///
/// List entries are plain names, compared without regard to case; or `re:` and a regular
/// expression for the whole name. Entries look at names as transformed; with `source:` in front
/// they look at the identity provider's name. An entry with `shadow:` in front of everything else has no effect; a preview can
/// tell which effect it would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupRules {
    /// Whether groups are provisioned at all (US-23). Off is the same as `re:.*` in both
    /// `never_assign` and `never_remove`.
    pub enabled: bool,
    /// How names change on the way (US-15).
    pub names: GroupNames,
    /// If not empty, only these are assigned (US-19).
    pub only_assign: Vec<String>,
    /// These are never assigned (US-20), also if `only_assign` has them (US-21).
    pub never_assign: Vec<String>,
    /// Plain names of groups that every active user is in (US-17).
    pub always_assign: Vec<String>,
    /// Plain names of groups that a user gets with a new account (MO-11). Who is taken out of one stays out.
    pub new_user_groups: Vec<String>,
    /// If there, which source groups become which groups, one by one (MO-13).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<GroupMapping>,
    /// Groups that nothing in these rules grants, whoever names them. What others gave in them stays.
    pub protected: Vec<String>,
    /// Memberships in these are never removed, whatever their origin (US-18).
    pub never_remove: Vec<String>,
    /// Which memberships evaluation may remove (US-22).
    pub authority: Authority,
    /// What becomes of groups that the identity provider puts into groups (PL-10).
    pub nested_groups: NestedGroups,
    /// Whether groups without members are created too (US-25).
    pub create_empty: bool,
    /// What products see when the identity provider renames a group (CP-02).
    pub rename: RenamePolicy,
    /// For how many days a renamed group has both names, if `rename` is `alias`.
    pub alias_days: u16,
    /// What becomes of a group when the source group that fed it is deleted (US-25).
    pub on_source_deleted: OnSourceDeleted,
    /// What happens when a source group would feed a group that has members from elsewhere (AG-06).
    pub on_existing: OnExisting,
}

impl Default for GroupRules {
    fn default() -> Self {
        Self {
            enabled: true,
            names: GroupNames::default(),
            only_assign: Vec::new(),
            never_assign: Vec::new(),
            always_assign: Vec::new(),
            new_user_groups: Vec::new(),
            mapping: None,
            protected: Vec::new(),
            never_remove: Vec::new(),
            authority: Authority::default(),
            nested_groups: NestedGroups::default(),
            create_empty: true,
            rename: RenamePolicy::default(),
            alias_days: 30,
            on_source_deleted: OnSourceDeleted::default(),
            on_existing: OnExisting::default(),
        }
    }
}

/// Names of groups by which Atlassian's products give administrative rights as they come.
const ADMINISTRATIVE: [&str; 13] = [
    "administrators",
    "bamboo-admin",
    "bitbucket-administrators",
    "confluence-administrators",
    "crowd-administrators",
    "fisheye-administrators",
    "jira-administrators",
    "jira-system-administrators",
    "org-admins",
    "site-admins",
    "stash-administrators",
    "system-administrators",
    // In Atlassian Cloud the site's name follows.
    "re:(jira|confluence|user-access)(-[a-z]+)*-admins-.+",
];

impl GroupRules {
    /// Safe to begin with: administrative groups are protected, names of groups stay when the identity provider
    /// renames them, and groups with members from elsewhere wait for a decision.
    pub fn for_new_connector() -> Self {
        Self {
            protected: ADMINISTRATIVE.map(str::to_owned).to_vec(),
            rename: RenamePolicy::Pin,
            on_existing: OnExisting::Review,
            ..Self::default()
        }
    }

    /// Where [`for_new_connector`](Self::for_new_connector) is another choice than the default, as written.
    pub(crate) fn choices_for_new_connector() -> [(&'static str, serde_json::Value); 3] {
        let new = Self::for_new_connector();
        [
            ("protected", new.protected.into()),
            ("rename", "pin".into()),
            ("on_existing", "review".into()),
        ]
    }
}

/// Which source groups become which groups (MO-13). Rows are bound to SCIM ids, so that a new name changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupMapping {
    /// The rows. A source group may be in several, and several may name one group.
    pub rows: Vec<GroupMappingRow>,
    /// What happens to source groups that no row has.
    pub unmapped: Unmapped,
}

/// A row of the mapping of groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMappingRow {
    /// The source group.
    pub source: MappedSource,
    /// Plain names of the groups that its members get.
    pub groups: Vec<String>,
    /// Whether the row counts.
    #[serde(default, skip_serializing_if = "RuleState::is_active")]
    pub state: RuleState,
}

/// The source group of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappedSource {
    /// Its SCIM id, which alone counts.
    pub id: String,
    /// Its name when the row was written, for those who read it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// What happens to source groups that no row of the mapping has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unmapped {
    /// They are left out.
    #[default]
    Ignore,
    /// They go on under their own names, as if there were no mapping.
    Pass,
}

/// What products see when the identity provider renames a group (CP-02). They cannot rename one themselves, so a new
/// name is a new group to them, without the permissions of the old one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RenamePolicy {
    /// The name stays what it was; the rename is listed.
    Pin,
    /// The new name.
    #[default]
    Follow,
    /// Both names for some days, then the new one.
    Alias,
}

/// What becomes of a group when the source group that fed it is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnSourceDeleted {
    /// It stays, without the members that the source group gave it.
    #[default]
    Keep,
    /// It goes, unless somebody is left in it, something else feeds it, or it was not made by a connector.
    DeleteIfEmptyAndOurs,
}

/// What happens when a source group would feed a group that has members from elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnExisting {
    /// It does.
    #[default]
    Adopt,
    /// It waits until an administrator has decided.
    Review,
}

/// How source groups' names become the names that products see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupNames {
    /// Whether rules stop at the first that matches.
    pub mode: NameMode,
    /// The rules, in order.
    pub rules: Vec<GroupNameRule>,
    /// What happens to names that no rule matched, if there are rules that can fail to match.
    pub on_no_match: OnNoMatch,
}

/// One rule for group names. A rule that has a step that must match, such as `regex_replace` of
/// mode `whole`, matches the names that step matches; any other rule applies to every name,
/// neither stops the search nor counts as a match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GroupNameRule {
    /// What is done to the name, in order.
    pub steps: Vec<Step>,
    /// Whether the rule counts.
    #[serde(skip_serializing_if = "RuleState::is_active")]
    pub state: RuleState,
}

/// How several group name rules work together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameMode {
    /// The first rule that matches decides.
    #[default]
    FirstMatch,
    /// Each rule works on what the one before left.
    Chain,
}

/// Which memberships may be removed when nothing grants them any more (US-22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// All: the identity provider is the only truth.
    Strict,
    /// Those that the connector itself had granted.
    #[default]
    OwnedOnly,
    /// None.
    Additive,
}

/// What becomes of groups in groups (PL-10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NestedGroups {
    /// Products see the child groups of a group; its users are those whom the identity provider put there itself.
    Preserve,
    /// Products see no child groups; the users below a group, at any depth, are its users.
    #[default]
    Flatten,
    /// A group in a group means nothing.
    Ignore,
}

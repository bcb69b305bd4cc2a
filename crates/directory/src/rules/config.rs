//! The rules as an administrator writes them: plain data, every default documented here.

use serde::{Deserialize, Serialize};

use super::Step;

/// Everything configurable about what a connector's writes mean. The default changes nothing on
/// the way: every user, every group, under the names the identity provider uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Where each attribute comes from. A target without a row has its default row:
    /// `username` from `userName`; `display_name` from `displayName`, else `name.formatted`, else
    /// given and family name, else `userName`; `first_name` and `last_name` from `name`; `email`
    /// from the primary, else the work, else the first address; `active` from `active`, true if
    /// absent.
    pub mapping: Vec<MappingRow>,
    /// Which groups, under which names.
    pub groups: GroupRules,
    /// Who has an account at all.
    pub scope: Scope,
    /// What may be done to accounts.
    pub accounts: Accounts,
    /// What becomes of those who lose theirs.
    pub cleanup: Cleanup,
}

/// One row of the mapping table: a target, its source, and what happens on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingRow {
    /// What is set.
    pub target: Target,
    /// Where the value comes from; the target's default source if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What is done to the value, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Whether the row counts at every evaluation or only for a new account.
    #[serde(default, skip_serializing_if = "Apply::is_always")]
    pub apply: Apply,
    /// What happens if steps that must match something matched nothing.
    #[serde(default)]
    pub on_no_match: OnNoMatch,
    /// What happens if there is no value. Left out: `keep` for `username`, `email` and
    /// `display_name`, else `clear`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_null: Option<OnNull>,
}

impl MappingRow {
    /// The row that a target without one has.
    pub fn default_for(target: Target) -> Self {
        Self {
            target,
            source: None,
            steps: Vec::new(),
            apply: Apply::default(),
            on_no_match: OnNoMatch::default(),
            on_null: None,
        }
    }
}

/// When a row counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Apply {
    /// At every evaluation.
    #[default]
    Always,
    /// When the account is made; afterwards the target stays as it is.
    CreateOnly,
}

impl Apply {
    fn is_always(&self) -> bool {
        *self == Apply::Always
    }
}

/// What a mapping row sets; written as text, e.g. `email` or `attr:department`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Target {
    /// The user name.
    Username,
    /// The e-mail address.
    Email,
    /// The full name.
    DisplayName,
    /// The given name.
    FirstName,
    /// The family name.
    LastName,
    /// Whether the identity provider means the user to be active.
    Active,
    /// Groups named by a user's attribute, besides the source groups.
    Groups,
    /// An attribute of the user that products can read.
    Attribute(String),
    /// What one product keeps about the user: `prop:jira:KEY`, `profile:confluence:FIELD`, `org:jsm` or `avatar`.
    /// It is an attribute of the user under this very name.
    Product(String),
}

/// Fields of a Confluence profile that a row may set.
const PROFILE_FIELDS: [&str; 6] = [
    "phone",
    "im",
    "website",
    "position",
    "department",
    "location",
];

impl Target {
    /// The name of the attribute that keeps it, if it is not one of the user's own.
    pub(crate) fn attribute(&self) -> Option<&str> {
        match self {
            Target::Attribute(name) | Target::Product(name) => Some(name),
            _ => None,
        }
    }

    fn is_product(text: &str) -> bool {
        let field = |prefix: &str| text.strip_prefix(prefix);
        matches!(text, "org:jsm" | "avatar")
            || field("prop:jira:").is_some_and(|key| !key.trim().is_empty())
            || field("profile:confluence:").is_some_and(|it| PROFILE_FIELDS.contains(&it))
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::Username => f.write_str("username"),
            Target::Email => f.write_str("email"),
            Target::DisplayName => f.write_str("display_name"),
            Target::FirstName => f.write_str("first_name"),
            Target::LastName => f.write_str("last_name"),
            Target::Active => f.write_str("active"),
            Target::Groups => f.write_str("groups"),
            Target::Attribute(name) => write!(f, "attr:{name}"),
            Target::Product(name) => f.write_str(name),
        }
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl TryFrom<String> for Target {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Ok(match text.as_str() {
            "username" => Target::Username,
            "email" => Target::Email,
            "display_name" => Target::DisplayName,
            "first_name" => Target::FirstName,
            "last_name" => Target::LastName,
            "active" => Target::Active,
            "groups" => Target::Groups,
            other if Target::is_product(other) => Target::Product(text),
            other => match other.strip_prefix("attr:") {
                Some(name) if !name.trim().is_empty() => Target::Attribute(name.to_owned()),
                _ => {
                    return Err(format!(
                        "unknown target `{other}`; targets are username, email, display_name, \
                         first_name, last_name, active, groups, attr:NAME, prop:jira:KEY, \
                         profile:confluence:FIELD (phone, im, website, position, department, location), \
                         org:jsm and avatar"
                    ));
                }
            },
        })
    }
}

/// Where a row's value comes from (US-11). Attributes are named by RFC 7644 paths, filters included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// One attribute, e.g. `emails[type eq "work"].value`.
    Attribute(String),
    /// The first of several attributes that has a value.
    FirstOf(Vec<String>),
    /// Text with `${path}` in it; a missing part is empty, and if all are missing so is the value.
    Template(String),
    /// Always the same text.
    Constant(String),
    /// The primary address, else the one for work, else the first.
    EmailPrimary,
    /// The names of the user's groups, as the identity provider calls them.
    Groups,
    /// What another row made of its target.
    Result(Target),
}

/// What happens if no transformation applied (US-12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNoMatch {
    /// Values that matched nothing go through.
    #[default]
    Pass,
    /// If nothing matched, what the directory has stays; else values that matched nothing go.
    Keep,
    /// Values that matched nothing go.
    Clear,
    /// If nothing matched, the user is dropped; else values that matched nothing go.
    DropUser,
}

/// What happens if there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNull {
    /// What the directory has stays.
    Keep,
    /// The target is emptied.
    Clear,
    /// The user is dropped.
    DropUser,
}

/// Which groups users get, under which names (US-15 to US-25).
///
/// List entries are plain names, compared without regard to case; or `re:` and a regular
/// expression for the whole name. Entries look at names as transformed; with `source:` in front
/// they look at the identity provider's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Memberships in these are never removed, whatever their origin (US-18).
    pub never_remove: Vec<String>,
    /// Which memberships evaluation may remove (US-22).
    pub authority: Authority,
    /// What becomes of groups that the identity provider puts into groups (PL-10).
    pub nested_groups: NestedGroups,
    /// Whether groups without members are created too (US-25).
    pub create_empty: bool,
}

impl Default for GroupRules {
    fn default() -> Self {
        Self {
            enabled: true,
            names: GroupNames::default(),
            only_assign: Vec::new(),
            never_assign: Vec::new(),
            always_assign: Vec::new(),
            never_remove: Vec::new(),
            authority: Authority::default(),
            nested_groups: NestedGroups::default(),
            create_empty: true,
        }
    }
}

/// How source groups' names become the names that products see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupNameRule {
    /// What is done to the name, in order.
    pub steps: Vec<Step>,
}

/// How several group name rules work together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameMode {
    /// The first rule that matches decides.
    #[default]
    FirstMatch,
    /// Each rule works on what the one before left.
    Chain,
}

/// Which memberships may be removed when nothing grants them any more (US-22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// Who has an account at all (US-24).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// A user must be in one of these groups; everyone may if there are none. Entries as in [`GroupRules`].
    pub required_groups: Vec<String>,
    /// Minutes for which an account outlives the last required group, so that a client that
    /// removes and adds again harms nobody.
    pub grace_minutes: u32,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            required_groups: Vec::new(),
            grace_minutes: 10,
        }
    }
}

/// What may be done to accounts (MO-05 to MO-08). What a switch holds back is told by explanations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// New ones are made.
    pub create: bool,
    /// Attributes follow the identity provider.
    pub update: bool,
    /// Disabled ones are enabled again.
    pub enable: bool,
    /// Active ones are disabled, or deleted.
    pub disable: bool,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            create: true,
            update: true,
            enable: true,
            disable: true,
        }
    }
}

/// What becomes of an account, by the cause of its loss (US-31).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cleanup {
    /// The identity provider says inactive.
    pub idp_inactive: CleanupAction,
    /// The identity provider deleted the user.
    pub idp_deleted: CleanupAction,
    /// The user is in no required group, and the grace time is over.
    pub out_of_scope: CleanupAction,
    /// The rules dropped the user.
    pub dropped: CleanupAction,
    /// A SCIM filter over the user; those for whom it holds keep their accounts as they are (US-34).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exempt_when: Option<String>,
    /// Members of these keep their accounts as they are (US-34). Entries as in [`GroupRules`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exempt_groups: Vec<String>,
}

/// What becomes of an account that is to be cleaned up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CleanupAction {
    /// It stays, and cannot log in.
    #[default]
    Disable,
    /// It goes from the directory. Products may lose what hangs on the user.
    Delete,
    /// It stays as it is.
    Keep,
}

impl CleanupAction {
    /// The word used in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            CleanupAction::Disable => "disable",
            CleanupAction::Delete => "delete",
            CleanupAction::Keep => "keep",
        }
    }

    /// How much it takes away; of several causes the one that takes most decides.
    pub(crate) const fn severity(self) -> u8 {
        match self {
            CleanupAction::Keep => 0,
            CleanupAction::Disable => 1,
            CleanupAction::Delete => 2,
        }
    }
}

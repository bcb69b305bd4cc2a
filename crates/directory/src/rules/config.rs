//! The rules as an administrator writes them: plain data, every default documented here.

use serde::{Deserialize, Serialize};

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
            on_no_match: OnNoMatch::default(),
            on_null: None,
        }
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
            other => match other.strip_prefix("attr:") {
                Some(name) if !name.trim().is_empty() => Target::Attribute(name.to_owned()),
                _ => {
                    return Err(format!(
                        "unknown target `{other}`; targets are username, email, display_name, \
                         first_name, last_name, active, groups and attr:NAME"
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
}

/// One step on the way from a source's value to a target (XF). Steps map over several values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Lower case, of any script, independent of locale.
    Lower,
    /// Upper case, of any script, independent of locale.
    Upper,
    /// The first letter of each word in upper case, the others in lower case.
    Title,
    /// No white space at either end.
    Trim,
    /// Runs of white space become one space.
    CollapseSpaces,
    /// No spaces at all.
    StripSpaces,
    /// What is before the last `@`; unchanged if there is none or it comes first.
    StripDomain,
    /// `bob_partner.com#EXT#@t.example` becomes `bob@partner.com`; other names are unchanged.
    GuestToEmail,
    /// Replaces every occurrence of a text.
    Replace {
        /// The text looked for, literally.
        find: String,
        /// What takes its place.
        with: String,
        /// Whether case is ignored.
        #[serde(default)]
        i: bool,
    },
    /// Replaces what a regular expression matches.
    RegexReplace {
        /// The expression; linear-time syntax without look-around and back-references.
        pattern: String,
        /// What takes the place of a match; `$1`, `${name}` and `\$` as in Java.
        with: String,
        /// How much has to match.
        #[serde(default)]
        mode: RegexMode,
        /// Whether case is ignored.
        #[serde(default)]
        i: bool,
    },
    /// A value where there is none.
    Default(String),
    /// This value, whatever there was.
    Constant(String),
    /// Text put in front.
    Prefix {
        /// The text.
        text: String,
        /// Only where the value does not begin with it yet.
        #[serde(default)]
        unless_present: bool,
    },
    /// Text put behind.
    Suffix {
        /// The text.
        text: String,
        /// Only where the value does not end with it yet.
        #[serde(default)]
        unless_present: bool,
    },
}

/// How much of a value a `regex_replace` must match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegexMode {
    /// The whole value; otherwise the step has matched nothing, and `on_no_match` decides.
    #[default]
    Whole,
    /// The first match is replaced; without one the value stays.
    First,
    /// Every match is replaced; the expression must not match empty text.
    All,
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

//! What becomes of accounts over time, as an administrator writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RuleState;

/// What becomes of an account, by the cause of its loss (US-31).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cleanup {
    /// The identity provider says inactive.
    pub idp_inactive: CleanupAction,
    /// The identity provider deleted the user.
    pub idp_deleted: CleanupAction,
    /// The user is out of scope, and the grace time is over.
    pub out_of_scope: CleanupAction,
    /// The rules dropped the user.
    pub dropped: CleanupAction,
    /// What becomes of an account that has been lost for long, by the same causes.
    #[serde(skip_serializing_if = "Later::is_nothing")]
    pub later: Later,
    /// Whether an account that is cleaned up leaves its groups, whoever put it there (US-33).
    pub strip_groups: bool,
    /// Groups that are not left. Entries as in [`super::GroupRules`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strip_exempt: Vec<String>,
    /// Whether groups that were left are given back when the account becomes active again.
    pub restore_groups: bool,
    /// A SCIM filter over the user; those for whom it holds keep their accounts as they are (US-34).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exempt_when: Option<String>,
    /// Members of these keep their accounts as they are (US-34). Entries as in [`super::GroupRules`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exempt_groups: Vec<String>,
}

impl Default for Cleanup {
    fn default() -> Self {
        Self {
            idp_inactive: CleanupAction::default(),
            idp_deleted: CleanupAction::default(),
            out_of_scope: CleanupAction::default(),
            dropped: CleanupAction::default(),
            later: Later::default(),
            strip_groups: false,
            strip_exempt: Vec::new(),
            restore_groups: true,
            exempt_when: None,
            exempt_groups: Vec::new(),
        }
    }
}

/// The second stage of cleanup (US-31): what happens if the cause still holds after some days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Later {
    /// The identity provider says inactive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idp_inactive: Option<LaterAction>,
    /// The identity provider deleted the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idp_deleted: Option<LaterAction>,
    /// The user is out of scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_scope: Option<LaterAction>,
    /// The rules dropped the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<LaterAction>,
}

impl Later {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What happens after some days, counted from the day on which the account was first cleaned up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaterAction {
    /// How many days.
    pub after_days: u32,
    /// What happens then. It has to take more than what happens at once.
    pub action: CleanupAction,
}

/// What becomes of an account that is to be cleaned up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CleanupAction {
    /// It stays, and cannot log in.
    #[default]
    Disable,
    /// It stays, cannot log in, and nothing about it tells who it was, until the user comes back (US-32).
    Anonymise,
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
            CleanupAction::Anonymise => "anonymise",
            CleanupAction::Delete => "delete",
            CleanupAction::Keep => "keep",
        }
    }

    /// How much it takes away; of several causes the one that takes most decides.
    pub(crate) const fn severity(self) -> u8 {
        match self {
            CleanupAction::Keep => 0,
            CleanupAction::Disable => 1,
            CleanupAction::Anonymise => 2,
            CleanupAction::Delete => 3,
        }
    }
}

/// Why an account is lost, as far as rules tell causes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    IdpInactive,
    IdpDeleted,
    OutOfScope,
    Dropped,
    /// A conditional rule disables the account; nothing can be said about that here.
    Rule,
}

impl Loss {
    /// Those that configuration speaks of, with their names there.
    pub(crate) const ALL: [(Loss, &'static str); 4] = [
        (Loss::IdpInactive, "idp_inactive"),
        (Loss::IdpDeleted, "idp_deleted"),
        (Loss::OutOfScope, "out_of_scope"),
        (Loss::Dropped, "dropped"),
    ];
}

impl Cleanup {
    /// What happens at once.
    pub(crate) const fn first(&self, loss: Loss) -> CleanupAction {
        match loss {
            Loss::IdpInactive => self.idp_inactive,
            Loss::IdpDeleted => self.idp_deleted,
            Loss::OutOfScope => self.out_of_scope,
            Loss::Dropped => self.dropped,
            Loss::Rule => CleanupAction::Disable,
        }
    }

    /// What happens after some days.
    pub(crate) const fn later(&self, loss: Loss) -> Option<LaterAction> {
        match loss {
            Loss::IdpInactive => self.later.idp_inactive,
            Loss::IdpDeleted => self.later.idp_deleted,
            Loss::OutOfScope => self.later.out_of_scope,
            Loss::Dropped => self.later.dropped,
            Loss::Rule => None,
        }
    }
}

/// Whether user names follow the identity provider's (US-29).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rename {
    /// A user who is renamed there is renamed here, and stays the same user.
    #[default]
    Follow,
    /// The name that an account was made with stays.
    Pin,
    /// The name stays until an administrator lets the new one through; everything else follows. Other cases of the
    /// same letters are the same name and follow at once.
    Hold,
}

/// What becomes of people who no longer log in (US-37).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inactivity {
    /// Days since the last log-in that products told of.
    pub days: u32,
    /// Whether it concerns people of whom no log-in is known; their days begin when the rule first looks at them.
    #[serde(default)]
    pub include_never_logged_in: bool,
    /// If not empty, it concerns members of these groups only. Entries as in [`super::GroupRules`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_groups: Vec<String>,
    /// What becomes of the account: `disable`, `anonymise`, or `delete`.
    #[serde(default)]
    pub action: CleanupAction,
    /// Whether only an administrator undoes it. If not, the next write of the identity provider that says active
    /// does.
    #[serde(default = "yes")]
    pub sticky: bool,
    /// After how many days a sticky account follows the identity provider again; never if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky_days: Option<u32>,
    /// Members of these are never touched. Entries as in [`super::GroupRules`].
    #[serde(default = "administrators")]
    pub never: Vec<String>,
    /// Whether the rule counts.
    #[serde(default, skip_serializing_if = "RuleState::is_active")]
    pub state: RuleState,
}

fn yes() -> bool {
    true
}

/// Groups that commonly administer products.
fn administrators() -> Vec<String> {
    ["re:.*administrators", "re:.*-admins?"]
        .map(str::to_owned)
        .into()
}

//! What came of each thing that an evaluation looked at.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::SourceGroupPk;
use crate::model::Reason;
use crate::rules::Fault;

/// What came of an override.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideEffect {
    /// It counts.
    Stands,
    /// It has ended.
    Ended,
    /// There is no account that could be kept.
    NothingToKeep,
}

/// What came of a conditional rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionEffect {
    /// It is switched off.
    Off,
    /// It is in the shadow, and has no effect.
    Shadow,
    /// The user is not so.
    NotSo,
    /// The user is so.
    Holds,
    /// It drops the user.
    Drops,
    /// It disables the account.
    Disables,
    /// It disables the account since a date.
    DisablesSince(Timestamp),
    /// It will disable the account.
    DisablesAt(Timestamp),
    /// It disables accounts at a date, and this attribute has none.
    WithoutDate(Arc<str>),
    /// What this attribute says of the date cannot be read, so nothing comes of it.
    Failed(Arc<str>, Fault),
}

/// Why the rules add a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddedBy {
    /// Every active user is in it.
    Always,
    /// The account is new.
    NewAccount,
    /// It came with the account, and nobody has taken it away.
    GivenBefore,
    /// A conditional rule of this name holds.
    Condition(Arc<str>),
    /// It would be added, but this entry of `protected` has it.
    Refused(Arc<str>),
}

/// What keeps a change back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SafetyEffect {
    /// A limit, until an administrator decides.
    Held,
    /// An administrator who said no.
    Rejected,
    /// The deletion of the group is held.
    GroupKept,
    /// An administrator who said no to the deletion of the group.
    GroupStays,
    /// A user in a directory further down has the name.
    NameBelow,
    /// The rules let no name change without an administrator.
    RenameWaits,
    /// An entry of the break-glass lists.
    BreakGlass(Arc<str>),
}

impl SafetyEffect {
    /// The word used in answers.
    pub const fn as_str(&self) -> &'static str {
        match self {
            SafetyEffect::Held => "limit",
            SafetyEffect::Rejected => "rejected",
            SafetyEffect::GroupKept | SafetyEffect::GroupStays => "group_deletion",
            SafetyEffect::NameBelow => "name_below",
            SafetyEffect::RenameWaits => "rename_waits",
            SafetyEffect::BreakGlass(_) => "break_glass",
        }
    }
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEffect {
    /// The values are these now.
    Became(String),
    /// The target stays as it is.
    Kept,
    /// The user is dropped.
    Dropped,
    /// It failed, and with it the row.
    Failed(Fault),
}

impl Suppressed {
    /// The switch, by its place in the rules.
    pub const fn switch(self) -> &'static str {
        match self {
            Suppressed::Create => "accounts.create",
            Suppressed::Update => "accounts.update",
            Suppressed::Enable => "accounts.enable",
            Suppressed::Disable => "accounts.disable",
        }
    }
}

/// What a switch held back (MO-05 to MO-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppressed {
    /// A new account.
    Create,
    /// A change of attributes.
    Update,
    /// Enabling a disabled account.
    Enable,
    /// Disabling or deleting an account.
    Disable,
}

/// What came of a mapping row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeEffect {
    /// The target has the value.
    Set,
    /// The target has a value that is not to be shown.
    SetUnseen,
    /// The row counts for new accounts only; what was there stays.
    KeptSinceCreation,
    /// A step says so; what was there stays.
    KeptByStep,
    /// There was no value; what was there stays.
    KeptWithoutValue,
    /// Nothing matched; what was there stays.
    KeptWithoutMatch,
    /// There was no value, so the target is empty.
    ClearedWithoutValue,
    /// Nothing matched, so the target is empty.
    ClearedWithoutMatch,
    /// The identity provider means the user to be active, or not.
    Flag(bool),
    /// There was no value, so what the identity provider plainly says of being active counts.
    FlagWithoutValue(bool),
    /// The user is dropped.
    Dropped(Reason),
    /// The row failed; what was there stays.
    Failed(Fault),
}

/// Who names a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupSource {
    /// A source group.
    Idp(SourceGroupPk),
    /// A mapping row with this source.
    Row(Arc<str>),
}

/// What came of a group's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupEffect {
    /// It is granted under the same name.
    Granted,
    /// It is granted under another name.
    GrantedAs(String),
    /// No rule matched the name.
    NoRuleMatched,
    /// The rules left nothing of the name.
    TransformedAway,
    /// What became of the name cannot name a group.
    NotAName(String),
    /// A rule for names failed.
    Failed(Fault),
    /// No row of the mapping has the group.
    Unmapped,
    /// Nobody has decided yet whether it may feed the group of this name, which has members from elsewhere.
    Waiting(String),
    /// An administrator decided that it feeds no group.
    Ignored,
    /// `protected` has it.
    Protected {
        /// What became of the name.
        name: String,
        /// The entry that matched.
        entry: Arc<str>,
    },
    /// `only_assign` does not have it.
    NotInOnlyAssign(String),
    /// `never_assign` has it.
    NeverAssign {
        /// What became of the name.
        name: String,
        /// The entry that matched.
        entry: Arc<str>,
    },
    /// The user is in it by way of a child group, and products see that themselves.
    NestingPreserved(String),
    /// The user is in it by way of a child group, and that means nothing.
    NestingIgnored,
}

/// What came of the required groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeEffect {
    /// The user is in one.
    In {
        /// The group.
        group: String,
        /// The entry that matched it.
        entry: Arc<str>,
    },
    /// The user is in none, and has no account: it waits.
    Waiting,
    /// The user is in none, and keeps the account for a while.
    Grace {
        /// How long.
        until: Timestamp,
    },
    /// The user is in none.
    Out {
        /// Since when.
        since: Timestamp,
    },
}

/// What came of a membership that nothing grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembershipEffect {
    /// It goes.
    Removed,
    /// It stays: `never_remove` has the group.
    Protected(Arc<str>),
    /// It stays: someone else made it.
    NotOurs,
    /// It stays: someone else made it, and `protected` has the group.
    HandsOff(Arc<str>),
    /// It is not given back: `protected` has the group.
    NotGivenBack(Arc<str>),
    /// It stays: the rules only add.
    Additive,
    /// It stays or comes back, as the user is back.
    Restored,
    /// It goes, as the account was cleaned up.
    Stripped,
    /// It stays although the account was cleaned up: `strip_exempt` has the group.
    StripExempt(Arc<str>),
}

//! Holds: effects that were decided and are kept back until an administrator says.

use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::name::folded;

/// What a held effect takes away, and what limits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// An account is disabled or removed.
    Deactivation,
    /// A user is no longer in a group.
    MembershipRemoval,
    /// The identity provider deleted a group, and everybody in it would lose it.
    GroupDeletion,
    /// A user name changes.
    Rename,
}

/// The hold on the deletion of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldDeletion {
    /// Its number.
    pub hold: i64,
    /// What became of it.
    pub state: HoldState,
}

impl HoldKind {
    /// Every kind.
    pub const ALL: [HoldKind; 4] = [
        HoldKind::Deactivation,
        HoldKind::MembershipRemoval,
        HoldKind::GroupDeletion,
        HoldKind::Rename,
    ];

    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            HoldKind::Deactivation => "deactivation",
            HoldKind::MembershipRemoval => "membership_removal",
            HoldKind::GroupDeletion => "group_deletion",
            HoldKind::Rename => "rename",
        }
    }

    /// Reads the word used in storage and answers.
    pub fn parse(text: &str) -> Option<HoldKind> {
        HoldKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The kind of a change that makes things worse for somebody; none of any other.
    pub const fn of(change: &Change) -> Option<HoldKind> {
        match change {
            Change::Disable { .. } | Change::Anonymise { .. } | Change::RemoveUser { .. } => {
                Some(HoldKind::Deactivation)
            }
            Change::RemoveMembership { .. } | Change::RemoveChildGroup { .. } => {
                Some(HoldKind::MembershipRemoval)
            }
            Change::RenameUser { .. } => Some(HoldKind::Rename),
            Change::DeleteGroup { .. } => Some(HoldKind::GroupDeletion),
            _ => None,
        }
    }
}

/// What has become of a held effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// It waits until an evaluation of everybody is done, and is then let through or open.
    Collected,
    /// It waits for a decision.
    Open,
    /// It may take effect, and is about to.
    Approved,
    /// It may not take effect as long as the identity provider says the same.
    Rejected,
    /// The identity provider took it back, or says something else by now.
    Cancelled,
    /// It took effect.
    Released,
}

impl HoldState {
    /// Every state.
    pub const ALL: [HoldState; 6] = [
        HoldState::Collected,
        HoldState::Open,
        HoldState::Approved,
        HoldState::Rejected,
        HoldState::Cancelled,
        HoldState::Released,
    ];

    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            HoldState::Collected => "collected",
            HoldState::Open => "open",
            HoldState::Approved => "approved",
            HoldState::Rejected => "rejected",
            HoldState::Cancelled => "cancelled",
            HoldState::Released => "released",
        }
    }

    /// Reads the word used in storage and answers.
    pub fn parse(text: &str) -> Option<HoldState> {
        HoldState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
    }

    /// Whether it bears on what happens from now on.
    pub const fn stands(self) -> bool {
        matches!(
            self,
            HoldState::Collected | HoldState::Open | HoldState::Approved | HoldState::Rejected
        )
    }
}

/// A hold that bears on a decision about one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingHold {
    /// The row.
    pub id: i64,
    /// What it keeps back.
    pub kind: HoldKind,
    /// The group, folded; empty where the kind speaks of none.
    pub group: String,
    /// What was decided about it.
    pub state: HoldState,
    /// What the identity provider says, as far as the effect depends on it.
    pub mark: String,
}

/// [`mark_of`] the change by which a group leaves another one.
pub fn held_mark(child: &str) -> String {
    format!("group {}", folded(child))
}

/// The child group, by its fold, of which [`held_mark`] speaks.
pub fn child_of_mark(mark: &str) -> &str {
    mark.strip_prefix("group ").unwrap_or(mark)
}

/// What the identity provider says by a change, as far as a decision about it depends on it. As long as that is the
/// same, a rejection stands.
pub fn mark_of(change: &Change) -> String {
    match change {
        Change::Disable { reason, .. } => format!("disable {}", reason.as_str()),
        Change::Anonymise { reason, .. } => format!("anonymise {}", reason.as_str()),
        Change::RemoveUser { reason, .. } => format!("remove {}", reason.as_str()),
        Change::RenameUser { to, .. } => format!("to {to}"),
        Change::RemoveChildGroup { child, .. } => held_mark(child),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for kind in HoldKind::ALL {
            assert_eq!(HoldKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for state in HoldState::ALL {
            assert_eq!(HoldState::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}

//! What goes into a decision and what comes out of it.

use jiff::Timestamp;
use scim::Resource;

use crate::cause::Trigger;
use crate::id::SourceGroupPk;
use crate::model::{Account, Attributes, Membership, Reason, Status};
use crate::trace::Trace;

/// A source group that contains the user, itself or by way of groups in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceGroup {
    /// The row.
    pub id: SourceGroupPk,
    /// The name the identity provider uses.
    pub name: String,
    /// Names of the groups by which the user comes into it, the innermost first; empty if the identity provider put
    /// the user there itself.
    pub path: Vec<String>,
}

impl SourceGroup {
    /// A group into which the identity provider put the user itself.
    pub fn direct(id: SourceGroupPk, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            path: Vec::new(),
        }
    }

    /// Whether the user is in it only by way of a group in it.
    pub fn is_nested(&self) -> bool {
        !self.path.is_empty()
    }
}

/// Everything a decision about one person is made from, apart from the rules.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The user as the identity provider wrote it; none if it deleted the user.
    pub user: Option<&'a Resource>,
    /// The source groups that contain the user, in any order.
    pub groups: &'a [SourceGroup],
    /// What the directory has about the person, tombstones included.
    pub existing: Option<&'a Account>,
    /// The time of the decision.
    pub now: Timestamp,
    /// What set it off.
    pub trigger: Trigger,
}

/// What should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether there is an account, and in which state.
    pub verdict: Verdict,
    /// The account's attributes; without meaning where there is none.
    pub attributes: Attributes,
    /// All memberships the account should have, those that merely stay included; sorted by name.
    pub memberships: Vec<Membership>,
    /// When to decide again although nobody writes: the grace time ends.
    pub recheck_at: Option<Timestamp>,
    /// Since when the person is in no required group; to be remembered with the account.
    pub out_of_scope_since: Option<Timestamp>,
    /// How the decision came about.
    pub trace: Trace,
}

/// Whether a person has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is none and none is to be made: the person waits for a required group, or is dropped.
    NoAccount {
        /// Why.
        reason: Reason,
    },
    /// There is one, to be made if need be.
    Account {
        /// Active or disabled.
        status: Status,
        /// Why.
        reason: Reason,
    },
    /// There is one, and it goes.
    Remove {
        /// Why.
        reason: Reason,
    },
}

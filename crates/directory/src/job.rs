//! Jobs: work on many people that goes on after the request that began it, and what it counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hold::HoldState;
use crate::operation::Operation;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$item])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every one there is.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word used in storage and answers.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }

            /// Reads the word used in storage and answers.
            pub fn parse(text: &str) -> Option<$name> {
                Self::ALL.iter().copied().find(|item| item.as_str() == text)
            }
        }
    };
}

words! {
    /// What a job does.
    JobKind {
        /// Evaluates every user of a connector, by hand or by schedule (US-39).
        Reconcile = "reconcile",
        /// Evaluates every user of a connector, since its rules changed.
        Rules = "rules",
        /// Evaluates those who were in a group that the identity provider deleted.
        GroupDeleted = "group_deleted",
        /// Evaluates those in a group that the identity provider renamed.
        GroupRenamed = "group_renamed",
        /// Evaluates those in a group that the identity provider put into another one, or took out.
        GroupNested = "group_nested",
        /// Makes everything in a directory local (AG-13).
        Detach = "detach",
        /// Deletes a directory.
        DeleteDirectory = "delete_directory",
        /// Deletes a connector.
        DeleteConnector = "delete_connector",
        /// Lets a connector feed another directory.
        MoveConnector = "move_connector",
        /// Gives accounts of one connector to another (BY-15).
        Transfer = "transfer",
        /// Takes back what somebody did to many users (BY-11).
        Undo = "undo",
        /// Approves many holds.
        ApproveHolds = "approve_holds",
        /// Rejects many holds.
        RejectHolds = "reject_holds",
    }
}

impl JobKind {
    /// Whether it evaluates every user of its connector, so that a second one would do the same again.
    pub const fn is_sweep(self) -> bool {
        matches!(self, JobKind::Reconcile | JobKind::Rules)
    }

    /// Whether it is made of users whose evaluation is owed.
    pub const fn evaluates(self) -> bool {
        matches!(
            self,
            JobKind::Reconcile
                | JobKind::Rules
                | JobKind::GroupDeleted
                | JobKind::GroupRenamed
                | JobKind::GroupNested
        )
    }

    /// Whether nothing is lost if it ends before its end: nothing has changed that only it would carry out.
    pub const fn can_be_cancelled(self) -> bool {
        matches!(
            self,
            JobKind::Reconcile | JobKind::Undo | JobKind::ApproveHolds | JobKind::RejectHolds
        )
    }

    /// What it makes of holds, if it decides about any.
    pub const fn decides(self) -> Option<HoldState> {
        match self {
            JobKind::ApproveHolds => Some(HoldState::Approved),
            JobKind::RejectHolds => Some(HoldState::Rejected),
            _ => None,
        }
    }
}

words! {
    /// How far a job is.
    JobState {
        /// Nothing of it is done yet.
        Queued = "queued",
        /// It is being worked off.
        Running = "running",
        /// It came to its end.
        Done = "done",
        /// It cannot go on.
        Failed = "failed",
        /// Somebody ended it.
        Cancelled = "cancelled",
    }
}

impl JobState {
    /// Whether it is over.
    pub const fn is_over(self) -> bool {
        !matches!(self, JobState::Queued | JobState::Running)
    }
}

/// How often each operation happened; what never did is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(pub BTreeMap<Operation, i64>);

impl Counts {
    /// Adds to the count of one operation.
    pub fn add(&mut self, operation: Operation, count: i64) {
        if count != 0 {
            *self.0.entry(operation).or_default() += count;
        }
    }

    /// Adds other counts to these.
    pub fn merge(&mut self, other: &Counts) {
        for (operation, count) in &other.0 {
            self.add(*operation, *count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_are_the_same_in_json() {
        for kind in JobKind::ALL {
            assert_eq!(JobKind::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(JobState::parse("DONE"), None);
    }

    #[test]
    fn only_what_would_change_nothing_can_be_cancelled() {
        let cancellable: Vec<&str> = JobKind::ALL
            .iter()
            .filter(|kind| kind.can_be_cancelled())
            .map(|kind| kind.as_str())
            .collect();
        assert_eq!(
            cancellable,
            ["reconcile", "undo", "approve_holds", "reject_holds"]
        );
    }

    #[test]
    fn counts_add_up() {
        let mut counts = Counts::default();
        counts.add(Operation::Create, 2);
        counts.add(Operation::Error, 0);
        let mut other = Counts::default();
        other.add(Operation::Create, 1);
        other.add(Operation::Unchanged, 5);
        counts.merge(&other);
        let json = serde_json::to_string(&counts).unwrap();
        assert_eq!(json, r#"{"create":3,"unchanged":5}"#);
        assert_eq!(serde_json::from_str::<Counts>(&json).unwrap(), counts);
    }
}

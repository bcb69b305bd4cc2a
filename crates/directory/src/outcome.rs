//! What goes into a decision and what comes out of it.

use jiff::Timestamp;
use scim::Resource;
use serde::{Deserialize, Serialize};

use crate::cause::Trigger;
use crate::id::SourceGroupPk;
use crate::model::{Account, Attributes, Membership, Memory, Reason, Status};
use crate::overrides::Override;
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
    /// What was decided about this one group, if anything was.
    pub standing: Option<Box<Standing>>,
}

/// What was decided about one source group, apart from rules that hold for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The identity provider renamed it, and the rules go on with the former name: this is the present one.
    pub renamed: Option<String>,
    /// It has a former name too, until then (CP-02).
    pub alias: Option<(String, Timestamp)>,
    /// The name that an administrator gave its group.
    pub own_name: Option<String>,
    /// Whether it may feed a group at all.
    pub review: Review,
}

/// Whether a source group may feed the group of its name, which has members from elsewhere (AG-06).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Review {
    /// It may; or nothing stood in the way.
    #[default]
    Settled,
    /// Nobody has decided yet.
    Waiting,
    /// It may not.
    Ignored,
}

impl Review {
    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Review::Settled => "settled",
            Review::Waiting => "waiting",
            Review::Ignored => "ignored",
        }
    }

    /// Reads the word used in storage and answers.
    pub fn parse(text: &str) -> Option<Review> {
        [Review::Settled, Review::Waiting, Review::Ignored]
            .into_iter()
            .find(|review| review.as_str() == text)
    }
}

impl SourceGroup {
    /// A group into which the identity provider put the user itself.
    pub fn direct(id: SourceGroupPk, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            path: Vec::new(),
            standing: None,
        }
    }

    /// Whether it may feed a group now.
    pub fn may_feed(&self) -> bool {
        self.review() == Review::Settled
    }

    /// Whether it may feed a group, or somebody has to decide.
    pub fn review(&self) -> Review {
        self.standing
            .as_ref()
            .map_or(Review::Settled, |it| it.review)
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
    /// What an administrator says about the person beside the rules, ended or not.
    pub overrides: &'a [Override],
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
    /// When to decide again although nobody writes: a grace time or a former name ends, a date comes.
    pub recheck_at: Option<Timestamp>,
    /// What the account is to remember.
    pub memory: Memory,
    /// How the decision came about.
    pub trace: Trace,
}

impl Outcome {
    /// Another look is to be taken when the user name is nobody's any more.
    pub fn wait_for_name(&mut self, name: &str, until: Timestamp) {
        self.trace.note_reserved(name, until);
        let first = self.recheck_at.map_or(until, |at| at.min(until));
        self.recheck_at = Some(first);
    }
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
        /// Active, disabled or anonymised.
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

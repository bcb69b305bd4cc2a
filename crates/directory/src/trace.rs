//! How a decision came about: what was found and done at each stage, put into words on demand.

mod answer;
mod attribute;
mod bearing;
mod effect;
mod finding;
mod safety;
mod words;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

pub use self::answer::{Line, Why};
pub use self::effect::{
    AddedBy, AttributeEffect, ConditionEffect, GroupEffect, GroupSource, MembershipEffect,
    OverrideEffect, SafetyEffect, ScopeEffect, StepEffect, Suppressed,
};
use crate::cause::Trigger;
use crate::change::Change;
use crate::identity::Met;
use crate::model::{Attributes, Reason, Status};
use crate::overrides::OverrideKind;
use crate::rules::{CleanupAction, LookupBy};

/// What was found and done, in the order of evaluation (PL-05).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub(crate) entries: Vec<Entry>,
    /// What the rows gave, whatever came of it, if somebody asks why.
    pub(crate) given: Option<Attributes>,
}

impl Trace {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Notes whom the user met, which is known only once the rules have given the names to look for.
    pub fn note_met(&mut self, met: Met) {
        self.note_identity(Entry::Met(met));
    }

    /// Notes that the name which the user should have is kept for somebody else, until then.
    pub fn note_reserved(&mut self, name: &str, until: Timestamp) {
        let name = name.to_owned();
        self.note_identity(Entry::NameReserved { name, until });
    }

    fn note_identity(&mut self, entry: Entry) {
        let place = self
            .entries
            .iter()
            .position(|entry| entry.stage() > Stage::Identity)
            .unwrap_or(self.entries.len());
        self.entries.insert(place, entry);
    }

    /// The entries, in the order of evaluation.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// A stage of evaluation, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// What was there to begin with.
    Subject,
    /// Which account is the user's own.
    Identity,
    /// Conditional rules, and which of them hold.
    Conditions,
    /// The mapping table.
    Mapping,
    /// Names of source groups and the lists that filter them.
    Groups,
    /// Required groups.
    Scope,
    /// Groups that the rules add.
    Additions,
    /// Memberships that nothing grants any more.
    Removals,
    /// Whether there is an account, and in which state.
    Status,
    /// What other connectors of the directory say of the same person.
    Precedence,
    /// What an administrator says beside the rules.
    Overrides,
    /// What the safety limits keep back.
    Safety,
    /// What rules in the shadow would do.
    Shadow,
}

/// One thing that was found or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// What the evaluation began with.
    Subject {
        /// What set it off.
        trigger: Trigger,
        /// In how many source groups the user is; none if the identity provider deleted the user.
        groups: Option<usize>,
        /// The account there was.
        existing: Option<(Status, Reason)>,
    },
    /// An account that exists already was taken for the same person.
    Met(Met),
    /// The user name was somebody else's until lately, and is kept from others.
    NameReserved {
        /// The name.
        name: String,
        /// How long.
        until: Timestamp,
    },
    /// A mapping row.
    Attribute {
        /// The target.
        target: Arc<str>,
        /// Where the value came from.
        from: Arc<str>,
        /// What came of it.
        effect: AttributeEffect,
    },
    /// A step of a mapping row that did something.
    Step {
        /// The row's target.
        target: Arc<str>,
        /// The step's place in the rules.
        step: Arc<str>,
        /// The values before it.
        before: String,
        /// What came of it.
        effect: StepEffect,
    },
    /// A row looked for another user.
    Sought {
        /// The row's target.
        target: Arc<str>,
        /// What the value is of the other user.
        by: LookupBy,
        /// The value.
        value: String,
        /// Whether there is such a user.
        found: bool,
        /// The value is not to be shown.
        redacted: bool,
    },
    /// No user name came out, and there was none before.
    Nameless,
    /// No user name came out, so the one there was stays.
    OldNameStays,
    /// A switch of the rules holds something back.
    Suppressed(Suppressed),
    /// The account is exempt from cleanup, by this entry or condition.
    Exempt {
        /// What says so.
        by: Arc<str>,
    },
    /// A group that the identity provider or a row names.
    Group {
        /// Who names it.
        from: GroupSource,
        /// The name there.
        name: String,
        /// The groups by which the user comes into it, the innermost first; empty for a direct membership.
        path: Vec<String>,
        /// What came of it.
        effect: GroupEffect,
    },
    /// No name matched a rule, and such memberships are left alone.
    GroupsUntouched,
    /// No name matched a rule, and such users are dropped.
    NoNameMatched,
    /// The filter of the scope does not hold.
    OutsideFilter {
        /// The filter.
        filter: Arc<str>,
        /// What came of it.
        effect: ScopeEffect,
    },
    /// The required groups.
    Scope(ScopeEffect),
    /// A conditional rule.
    Condition {
        /// Its name.
        rule: Arc<str>,
        /// The groups that it adds.
        groups: Arc<[Arc<str>]>,
        /// What came of it.
        effect: ConditionEffect,
    },
    /// The identity provider calls a source group otherwise by now.
    Renamed {
        /// The name with which the rules go on.
        name: String,
        /// The present name.
        now: String,
    },
    /// A source group was renamed, and its members are in the group of its former name too for a while (CP-02).
    FormerName {
        /// The present name.
        name: String,
        /// The former one.
        former: String,
        /// Until when.
        until: Timestamp,
    },
    /// A group that the rules add.
    Added {
        /// Its name.
        group: Arc<str>,
        /// Why.
        by: AddedBy,
    },
    /// A membership that was there and that nothing grants.
    Membership {
        /// The group's name.
        group: String,
        /// What came of it.
        effect: MembershipEffect,
    },
    /// All memberships stay as they are, as the account is not active, or is not to be and stays so.
    Frozen,
    /// The account was removed, for this reason, and there is somebody who may have it again.
    Returned(Reason),
    /// What stands in the way of an active account, and what is to be done about it.
    Cleanup {
        /// What stands in the way.
        reason: Reason,
        /// What the rules say about that.
        action: CleanupAction,
    },
    /// An administrator's decision stands.
    ManualStands,
    /// What was decided does not take effect.
    Safety {
        /// What is kept back.
        change: Box<Change>,
        /// By what.
        effect: SafetyEffect,
        /// The number of the hold; none if there is none, or not yet.
        hold: Option<i64>,
    },
    /// What an administrator says beside the rules.
    Override {
        /// What it says.
        kind: OverrideKind,
        /// Who said it.
        actor: String,
        /// When it ends by itself.
        until: Option<Timestamp>,
        /// What came of it.
        effect: OverrideEffect,
    },
    /// Another connector knows the same person.
    AlsoKnown {
        /// Its name.
        connector: Arc<str>,
        /// Whether it gives anything: its rules would give the person an active account.
        gives: bool,
    },
    /// Of several connectors, this one's word counts for a target.
    DecidedBy {
        /// The target.
        target: String,
        /// The connector's name.
        connector: Arc<str>,
        /// What it says; none of groups.
        value: Option<String>,
    },
    /// Another connector puts the person into a group.
    GivenBy {
        /// The group's name.
        group: String,
        /// The connector's name.
        connector: Arc<str>,
    },
    /// The user had not logged in for long, and this decision does not undo what came of it.
    InactivityStands {
        /// When the user did so last, as far as known.
        last: Option<Timestamp>,
        /// How many days the rules allow; none if they say nothing about it any more.
        days: Option<u32>,
        /// Whether only an administrator undoes it.
        sticky: bool,
    },
    /// The user has a new name with the identity provider, and keeps the old one here.
    NamePinned {
        /// The new name.
        wanted: String,
    },
    /// The user does not log in any more.
    Inactive {
        /// The last time that counts.
        since: Timestamp,
        /// How many days the rules allow.
        days: u32,
        /// What the rules say about that.
        action: CleanupAction,
    },
    /// The rule for people who do not log in any more leaves members of a group alone.
    InactivityExempt {
        /// The entry that matched.
        by: Arc<str>,
    },
    /// What happens to the account if nothing changes until then.
    Later {
        /// When.
        at: Timestamp,
        /// What.
        action: CleanupAction,
    },
}

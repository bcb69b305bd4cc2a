//! How a decision came about: what was found and done at each stage, put into words on demand.

mod attribute;
mod bearing;
mod safety;
mod words;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cause::Trigger;
use crate::change::Change;
use crate::id::SourceGroupPk;
use crate::identity::Met;
use crate::model::{Attributes, Reason, Status};
use crate::name::same;
use crate::outcome::{Outcome, Verdict};
use crate::overrides::OverrideKind;
use crate::rules::{CleanupAction, Fault, LookupBy};

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
    /// The user had not logged in for long, and only an administrator undoes what came of it.
    InactivityStands {
        /// When the user did so last, as far as known.
        last: Option<Timestamp>,
        /// How many days the rules allow; none if they say nothing about it any more.
        days: Option<u32>,
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

/// One line of an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The stage of evaluation.
    pub stage: Stage,
    /// What happened, as a sentence.
    pub text: String,
}

/// Why someone is, or is not, in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    /// Whether the decision makes the user a member.
    pub member: bool,
    /// What led there.
    pub lines: Vec<Line>,
}

impl Outcome {
    /// The whole decision in words, one line for each thing found or done.
    pub fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.trace.entries.iter().map(|it| self.line(it)).collect();
        lines.push(self.conclusion());
        lines
    }

    /// Whether the account stays active although it has lost its ground: something holds cleanup back.
    pub fn stays_active(&self) -> bool {
        let lost = |reason: Reason| {
            let mut entries = self.trace.entries.iter();
            entries.any(|it| matches!(it, Entry::Cleanup { reason: lost, .. } if *lost == reason))
        };
        match self.verdict {
            Verdict::Account { status, reason } => status == Status::Active && lost(reason),
            _ => false,
        }
    }

    fn has_account(&self) -> bool {
        matches!(self.verdict, Verdict::Account { .. })
    }

    /// Whether the user is in a group, by the name products see.
    pub(crate) fn is_member(&self, group: &str) -> bool {
        self.has_account() && self.memberships.iter().any(|it| same(&it.group, group))
    }

    /// Why the user is or is not in a group, by the name products see or the identity provider's.
    pub fn why_group(&self, group: &str) -> Why {
        let member = self.is_member(group);
        let mut lines: Vec<Line> = self
            .trace
            .entries
            .iter()
            .filter(|entry| entry.bears_on(group))
            .map(|entry| self.line(entry))
            .collect();
        let entries = &self.trace.entries;
        // Of an account that is left as it is, nobody asked what would name the group.
        let is_asked = self.has_account() && !entries.contains(&Entry::Frozen);
        if is_asked && !entries.iter().any(|entry| entry.names(group)) {
            let text = format!(
                "nothing this user has from the identity provider or the rules names `{group}`"
            );
            lines.push(Line {
                stage: Stage::Groups,
                text,
            });
        }
        lines.push(self.conclusion());
        Why { member, lines }
    }

    /// Targets that stay as they were since the identity provider says nothing usable of them.
    pub(crate) fn kept_for_want_of_value(&self) -> impl Iterator<Item = String> {
        self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Attribute {
                target,
                effect:
                    AttributeEffect::KeptWithoutValue
                    | AttributeEffect::KeptWithoutMatch
                    | AttributeEffect::Failed(_),
                ..
            } => Some(target.to_string()),
            _ => None,
        })
    }

    /// What is kept back, and by what.
    pub fn kept_back(&self) -> impl Iterator<Item = (&Change, &SafetyEffect)> {
        self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Safety { change, effect, .. } => Some((&**change, effect)),
            _ => None,
        })
    }

    /// What switches of the rules keep back.
    pub fn suppressed(&self) -> impl Iterator<Item = Suppressed> {
        self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Suppressed(what) => Some(*what),
            _ => None,
        })
    }

    /// What becomes of an account that was cleaned up if nothing changes, and when (US-31).
    pub fn later(&self) -> Option<(Timestamp, CleanupAction)> {
        // Nothing does where nobody is to look again.
        self.recheck_at?;
        let steps = self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Later { at, action } => Some((*at, *action)),
            _ => None,
        });
        steps.min_by_key(|(at, _)| *at)
    }

    /// Until when the user keeps the account although it is out of scope (US-24).
    pub fn grace_until(&self) -> Option<Timestamp> {
        self.trace.entries.iter().find_map(|entry| match entry {
            Entry::Scope(ScopeEffect::Grace { until })
            | Entry::OutsideFilter {
                effect: ScopeEffect::Grace { until },
                ..
            } => Some(*until),
            _ => None,
        })
    }

    /// Rows that failed, so that their targets stay as they were: the target, and what was wrong with the value. Of
    /// conditional rules whose date cannot be read: the attribute. Of rules for group names: `groups`.
    pub fn faults(&self) -> impl Iterator<Item = (&str, Fault)> {
        self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Attribute {
                target,
                effect: AttributeEffect::Failed(fault),
                ..
            } => Some((&**target, *fault)),
            Entry::Group {
                effect: GroupEffect::Failed(fault),
                ..
            } => Some(("groups", *fault)),
            Entry::Condition {
                effect: ConditionEffect::Failed(attribute, fault),
                ..
            } => Some((&**attribute, *fault)),
            _ => None,
        })
    }

    /// Whether the rules have no place for the user: it is dropped, out of scope, or waits, or gets no account.
    pub fn leaves_out(&self) -> bool {
        let leaves_out = |entry: &Entry| match entry {
            Entry::Attribute { effect, .. } => matches!(effect, AttributeEffect::Dropped(_)),
            Entry::Condition { effect, .. } => *effect == ConditionEffect::Drops,
            Entry::Scope(effect) => !matches!(effect, ScopeEffect::In { .. }),
            Entry::NoNameMatched | Entry::Nameless | Entry::OutsideFilter { .. } => true,
            Entry::Suppressed(what) => *what == Suppressed::Create,
            _ => false,
        };
        self.trace.entries.iter().any(leaves_out)
    }

    /// Whether there is no account because no user name came out.
    pub fn is_nameless(&self) -> bool {
        self.trace.entries.contains(&Entry::Nameless)
    }

    /// Whether no user name came out although there is an account, which keeps the one it has.
    pub fn keeps_old_name(&self) -> bool {
        self.trace.entries.contains(&Entry::OldNameStays)
    }

    /// Users whom rows looked for. When one appears, changes or goes, this person is to be decided on again.
    pub fn sought(&self) -> impl Iterator<Item = (LookupBy, &str)> {
        self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Sought { by, value, .. } => Some((*by, value.as_str())),
            _ => None,
        })
    }

    /// Of these, the users whom nobody knows yet.
    pub fn unresolved(&self) -> impl Iterator<Item = (LookupBy, &str)> {
        self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Sought {
                by,
                value,
                found: false,
                ..
            } => Some((*by, value.as_str())),
            _ => None,
        })
    }

    pub(crate) fn line(&self, entry: &Entry) -> Line {
        let text = match entry {
            Entry::Attribute {
                target,
                from,
                effect,
            } => self.attribute_text(target, from, *effect),
            Entry::Frozen if self.stays_active() => "memberships stay as they are, too".to_owned(),
            other => other.text(),
        };
        Line {
            stage: entry.stage(),
            text,
        }
    }

    fn conclusion(&self) -> Line {
        let text = match self.verdict {
            Verdict::NoAccount { reason } => format!("no account ({})", reason.as_str()),
            Verdict::Account { reason, .. } if self.stays_active() => {
                format!(
                    "the account stays active all the same ({})",
                    reason.as_str()
                )
            }
            Verdict::Account { status, reason } => {
                format!("account {} ({})", status.as_str(), reason.as_str())
            }
            Verdict::Remove { reason } => format!("the account goes ({})", reason.as_str()),
        };
        Line {
            stage: Stage::Status,
            text,
        }
    }
}

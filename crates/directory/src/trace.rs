//! How a decision came about: what was found and done at each stage, put into words on demand.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::cause::Trigger;
use crate::id::SourceGroupPk;
use crate::model::{Reason, Status};
use crate::name::same;
use crate::outcome::{Outcome, Verdict};
use crate::rules::{CleanupAction, Fault, LookupBy};

/// What was found and done, in the order of evaluation (PL-05).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    pub(crate) entries: Vec<Entry>,
}

impl Trace {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
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
    /// The mapping table.
    Mapping,
    /// Names of source groups and the lists that filter them.
    Groups,
    /// Required groups.
    Scope,
    /// Groups everyone is in.
    Additions,
    /// Memberships that nothing grants any more.
    Removals,
    /// Whether there is an account, and in which state.
    Status,
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
    /// A row looks for another user whom nobody knows yet.
    Unresolved {
        /// The row's target.
        target: Arc<str>,
        /// What the value is of the other user.
        by: LookupBy,
        /// The value.
        value: String,
    },
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
    /// The required groups.
    Scope(ScopeEffect),
    /// A group that every active user is in.
    Always {
        /// Its name.
        group: Arc<str>,
    },
    /// A membership that was there and that nothing grants.
    Membership {
        /// The group's name.
        group: String,
        /// What came of it.
        effect: MembershipEffect,
    },
    /// All memberships stay as they are, as the account is not active.
    Frozen,
    /// The user was deleted and is back.
    Returned,
    /// What stands in the way of an active account, and what is to be done about it.
    Cleanup {
        /// What stands in the way.
        reason: Reason,
        /// What the rules say about that.
        action: CleanupAction,
    },
    /// An administrator's decision stands.
    ManualStands,
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

/// What a switch held back (MO-05 to MO-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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

impl Suppressed {
    fn text(self) -> &'static str {
        match self {
            Suppressed::Create => "no account is made: `accounts.create` is off",
            Suppressed::Update => "attributes stay as they are: `accounts.update` is off",
            Suppressed::Enable => "the account stays disabled: `accounts.enable` is off",
            Suppressed::Disable => "the account stays as it is: `accounts.disable` is off",
        }
    }
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
    /// It stays: the rules only add.
    Additive,
    /// It stays or comes back, as the user was deleted and is back.
    Restored,
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

    /// Why the user is or is not in a group, by the name products see or the identity provider's.
    pub fn why_group(&self, group: &str) -> Why {
        let member = matches!(self.verdict, Verdict::Account { .. })
            && self.memberships.iter().any(|it| same(&it.group, group));
        let mut lines: Vec<Line> = self
            .trace
            .entries
            .iter()
            .filter(|entry| entry.bears_on(group))
            .map(|entry| self.line(entry))
            .collect();
        if !self.trace.entries.iter().any(|entry| entry.names(group)) {
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

    /// Rows that failed, so that their targets stay as they were: the target, and what was wrong with the value.
    pub fn faults(&self) -> impl Iterator<Item = (&str, Fault)> {
        self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Attribute {
                target,
                effect: AttributeEffect::Failed(fault),
                ..
            } => Some((&**target, *fault)),
            _ => None,
        })
    }

    /// Users whom rows look for and nobody knows yet. When one appears, this person is to be decided on again.
    pub fn unresolved(&self) -> impl Iterator<Item = (LookupBy, &str)> {
        self.trace.entries.iter().filter_map(|entry| match entry {
            Entry::Unresolved { by, value, .. } => Some((*by, value.as_str())),
            _ => None,
        })
    }

    fn line(&self, entry: &Entry) -> Line {
        let text = match entry {
            Entry::Attribute {
                target,
                from,
                effect,
            } => self.attribute_text(target, from, *effect),
            other => other.text(),
        };
        Line {
            stage: entry.stage(),
            text,
        }
    }

    fn attribute_text(&self, target: &str, from: &str, effect: AttributeEffect) -> String {
        match effect {
            AttributeEffect::Set => match self.attributes.get(target) {
                Some(value) => format!("`{target}` is {value:?}, from {from}"),
                None => format!("`{target}` is read from {from}"),
            },
            AttributeEffect::SetUnseen => format!("`{target}` is [redacted], from {from}"),
            AttributeEffect::KeptSinceCreation => {
                format!("`{target}` stays as it was: the row counts for new accounts only")
            }
            AttributeEffect::KeptByStep => {
                format!("`{target}` stays as it was: a step says so")
            }
            AttributeEffect::KeptWithoutValue => {
                format!("`{target}` stays as it was: {from} has no value")
            }
            AttributeEffect::KeptWithoutMatch => {
                format!("`{target}` stays as it was: no step matched what {from} says")
            }
            AttributeEffect::ClearedWithoutValue => {
                format!("`{target}` is empty: {from} has no value")
            }
            AttributeEffect::ClearedWithoutMatch => {
                format!("`{target}` is empty: no step matched what {from} says")
            }
            AttributeEffect::Flag(active) => format!("`{target}` is {active}, from {from}"),
            AttributeEffect::FlagWithoutValue(active) => {
                format!("`{target}` is {active}, as {from} has no value")
            }
            AttributeEffect::Dropped(reason) => format!(
                "the row for `{target}` drops the user ({}): {from} has no fitting value",
                reason.as_str()
            ),
            AttributeEffect::Failed(fault) => {
                format!(
                    "`{target}` stays as it was: the value of {from} {}",
                    fault.as_str()
                )
            }
        }
    }

    fn conclusion(&self) -> Line {
        let text = match self.verdict {
            Verdict::NoAccount { reason } => format!("no account ({})", reason.as_str()),
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

impl Entry {
    /// The stage it belongs to.
    pub fn stage(&self) -> Stage {
        match self {
            Entry::Subject { .. } | Entry::Returned => Stage::Subject,
            Entry::Attribute { .. } | Entry::Step { .. } | Entry::Unresolved { .. } => {
                Stage::Mapping
            }
            Entry::Group { .. } | Entry::GroupsUntouched => Stage::Groups,
            Entry::Scope(_) => Stage::Scope,
            Entry::Always { .. } => Stage::Additions,
            Entry::Membership { .. } | Entry::Frozen => Stage::Removals,
            Entry::Cleanup { .. }
            | Entry::ManualStands
            | Entry::Suppressed(_)
            | Entry::Exempt { .. } => Stage::Status,
        }
    }

    /// Whether it speaks of a group, by the source's name or the products'.
    fn names(&self, group: &str) -> bool {
        match self {
            Entry::Group { name, effect, .. } => same(name, group) || effect.names(group),
            Entry::Always { group: name } => same(name, group),
            Entry::Membership { group: name, .. } => same(name, group),
            _ => false,
        }
    }

    /// Whether it has to do with being in a group or not.
    fn bears_on(&self, group: &str) -> bool {
        match self {
            Entry::Subject { .. } | Entry::Attribute { .. } => {
                matches!(
                    self,
                    Entry::Attribute {
                        effect: AttributeEffect::Dropped(_),
                        ..
                    }
                )
            }
            Entry::Group { .. } | Entry::Always { .. } | Entry::Membership { .. } => {
                self.names(group)
            }
            Entry::Scope(effect) => !matches!(effect, ScopeEffect::In { .. }),
            Entry::Step { .. } | Entry::Unresolved { .. } => false,
            Entry::Suppressed(_)
            | Entry::Exempt { .. }
            | Entry::GroupsUntouched
            | Entry::Frozen
            | Entry::Returned
            | Entry::Cleanup { .. }
            | Entry::ManualStands => true,
        }
    }

    fn text(&self) -> String {
        match self {
            Entry::Subject {
                trigger,
                groups,
                existing,
            } => subject_text(*trigger, *groups, *existing),
            Entry::Attribute { target, .. } => format!("`{target}`"),
            Entry::Step {
                target,
                step,
                before,
                effect,
            } => effect.text(target, step, before),
            Entry::Unresolved { target, by, value } => format!(
                "`{target}`: no user with {} {value:?} is known yet",
                by.as_str()
            ),
            Entry::Suppressed(what) => what.text().to_owned(),
            Entry::Exempt { by } => format!("the account is exempt from cleanup by `{by}`"),
            Entry::Group {
                from,
                name,
                path,
                effect,
            } => group_text(from, name, path, effect),
            Entry::GroupsUntouched => {
                "no rule for group names matched, so memberships stay as they are".to_owned()
            }
            Entry::Scope(effect) => effect.text(),
            Entry::Always { group } => format!("`{group}` is assigned to every active user"),
            Entry::Membership { group, effect } => effect.text(group),
            Entry::Frozen => {
                "memberships stay as they are, as the account is not active".to_owned()
            }
            Entry::Returned => "the user had been deleted and is back".to_owned(),
            Entry::Cleanup { reason, action } => {
                format!("{}: the rules say {}", reason.as_str(), action.as_str())
            }
            Entry::ManualStands => "an administrator's decision stands".to_owned(),
        }
    }
}

impl StepEffect {
    fn text(&self, target: &str, step: &str, before: &str) -> String {
        match self {
            StepEffect::Became(after) => format!("`{target}`: {step} makes {after} of {before}"),
            StepEffect::Kept => format!("`{target}`: {step} keeps what is there, at {before}"),
            StepEffect::Dropped => format!("`{target}`: {step} drops the user, at {before}"),
            StepEffect::Failed(fault) => {
                format!("`{target}`: {step} fails: {before} {}", fault.as_str())
            }
        }
    }
}

fn subject_text(
    trigger: Trigger,
    groups: Option<usize>,
    existing: Option<(Status, Reason)>,
) -> String {
    let before = match existing {
        None => "no account so far".to_owned(),
        Some((status, reason)) => {
            format!("account so far {} ({})", status.as_str(), reason.as_str())
        }
    };
    let source = match groups {
        None => "the identity provider deleted the user".to_owned(),
        Some(1) => "the user is in one source group".to_owned(),
        Some(count) => format!("the user is in {count} source groups"),
    };
    match trigger {
        // Somebody asks, and nothing happens.
        Trigger::Simulate => format!("{source}; {before}"),
        trigger => format!("{}: {source}; {before}", trigger.as_str()),
    }
}

fn group_text(from: &GroupSource, name: &str, path: &[String], effect: &GroupEffect) -> String {
    let origin = match from {
        GroupSource::Idp(_) if !path.is_empty() => {
            format!(
                "source group `{name}`, by way of `{}`,",
                path.join("` in `")
            )
        }
        GroupSource::Idp(_) => format!("source group `{name}`"),
        GroupSource::Row(row) => format!("`{name}` from {row}"),
    };
    match effect {
        GroupEffect::Granted => format!("{origin} is assigned"),
        GroupEffect::GrantedAs(name) => format!("{origin} is assigned as `{name}`"),
        GroupEffect::NoRuleMatched => format!("{origin} is left out: no rule matches its name"),
        GroupEffect::TransformedAway => {
            format!("{origin} is left out: nothing is left of its name")
        }
        GroupEffect::NotAName(name) => {
            format!("{origin} is left out: {name:?} cannot name a group")
        }
        GroupEffect::NotInOnlyAssign(name) => {
            format!("{origin} is left out: `{name}` is not in `only_assign`")
        }
        GroupEffect::NeverAssign { name, entry } => {
            format!("{origin} is left out: `{name}` is in `never_assign` by `{entry}`")
        }
        GroupEffect::NestingPreserved(_) => {
            format!("{origin} is no membership of its own: products see which groups are in which")
        }
        GroupEffect::NestingIgnored => {
            format!("{origin} is left out: the rules ignore groups in groups")
        }
    }
}

impl GroupEffect {
    fn names(&self, group: &str) -> bool {
        match self {
            GroupEffect::GrantedAs(name)
            | GroupEffect::NotAName(name)
            | GroupEffect::NotInOnlyAssign(name)
            | GroupEffect::NestingPreserved(name)
            | GroupEffect::NeverAssign { name, .. } => same(name, group),
            GroupEffect::Granted
            | GroupEffect::NoRuleMatched
            | GroupEffect::TransformedAway
            | GroupEffect::NestingIgnored => false,
        }
    }
}

impl ScopeEffect {
    fn text(&self) -> String {
        match self {
            ScopeEffect::In { group, entry } => {
                format!("`{group}` is a required group by `{entry}`")
            }
            ScopeEffect::Waiting => "the user is in no required group and waits for one".to_owned(),
            ScopeEffect::Grace { until } => {
                format!("the user is in no required group and keeps the account until {until}")
            }
            ScopeEffect::Out { since } => {
                format!("the user is in no required group since {since}")
            }
        }
    }
}

impl MembershipEffect {
    fn text(&self, group: &str) -> String {
        match self {
            MembershipEffect::Removed => format!("`{group}` goes: nothing grants it any more"),
            MembershipEffect::Protected(entry) => {
                format!("`{group}` stays: it is in `never_remove` by `{entry}`")
            }
            MembershipEffect::NotOurs => {
                format!("`{group}` stays: this connector did not assign it")
            }
            MembershipEffect::Additive => format!("`{group}` stays: the rules only add"),
            MembershipEffect::Restored => {
                format!("`{group}` is given back, as the user had it before being deleted")
            }
        }
    }
}

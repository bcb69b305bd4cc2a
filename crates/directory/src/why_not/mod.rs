//! Why not: what would have to be different for a user to have an account, or to be in a group.
//!
//! One thing in the way can hide another, so what was found is supposed to be different and the case decided again,
//! until nothing is in the way any more: whoever does all that is named gets there.

mod hypothesis;
mod remedy;
mod ways;

use hypothesis::Hypothesis;
pub use remedy::{Becoming, Remedy};

use crate::Reason;
use crate::evaluate::evaluate_shared;
use crate::model::Status;
use crate::outcome::{Outcome, Subject, Verdict};
use crate::overrides::OverrideKind;
use crate::precedence::Shared;
use crate::rules::CompiledRules;
use crate::surroundings::Surroundings;
use crate::trace::{
    AttributeEffect, ConditionEffect, Entry, OverrideEffect, ScopeEffect, StepEffect, Suppressed,
};

/// How many layers of things in the way are looked behind.
const LAYERS_MAX: usize = 50;

/// Everything that a decision about one person is made from.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The person.
    pub subject: Subject<'a>,
    /// The rules.
    pub rules: &'a CompiledRules,
    /// The others.
    pub around: &'a dyn Surroundings,
    /// What other connectors say.
    pub shared: Option<Shared<'a>>,
}

impl Case<'_> {
    /// The decision.
    pub fn outcome(&self) -> Outcome {
        evaluate_shared(&self.subject, self.rules, self.around, self.shared)
    }

    /// What would have to be different for the user to have an active account; nothing if the rules give one.
    pub fn why_no_account(&self) -> Vec<Remedy> {
        Hypothesis::of(self).open_account(is_active)
    }

    /// What would have to be different for the user to be in a group; nothing if the rules put the user there.
    pub fn why_not_group(&self, group: &str) -> Vec<Remedy> {
        let mut hypothesis = Hypothesis::of(self);
        if hypothesis.is_member(group) {
            return Vec::new();
        }
        let mut remedies = hypothesis.open_account(follows_groups);
        remedies.extend(hypothesis.end_overrides(group));
        if !hypothesis.is_member(group) {
            remedies.extend(ways::into(&hypothesis, group));
        }
        remedies
    }
}

impl Hypothesis<'_> {
    /// Supposes away what stands in the way of such an account, and says what that was.
    fn open_account(&mut self, is_open: fn(&Outcome) -> bool) -> Vec<Remedy> {
        let mut remedies: Vec<Remedy> = Vec::new();
        for _ in 0..LAYERS_MAX {
            let outcome = self.outcome();
            if is_open(&outcome) {
                break;
            }
            let mut found = account_remedies(&outcome, &self.rules);
            found.retain(|it| !remedies.contains(it));
            if found.is_empty() {
                break;
            }
            found.iter().for_each(|it| self.suppose(it));
            remedies.extend(found);
        }
        remedies
    }

    /// Supposes away what an administrator says against the group.
    fn end_overrides(&mut self, group: &str) -> Vec<Remedy> {
        let outcome = self.outcome();
        let against = |kind: &OverrideKind| match kind {
            OverrideKind::KeepOutOfGroup { .. } => {
                kind.group().is_some_and(|it| crate::name::same(it, group))
            }
            OverrideKind::KeepAsIs { .. } => true,
            _ => false,
        };
        let entries = outcome.trace.entries().iter();
        let found: Vec<Remedy> = entries
            .filter_map(|entry| ended(entry).filter(|(kind, _)| against(kind)))
            .map(|(_, remedy)| remedy)
            .collect();
        found.iter().for_each(|it| self.suppose(it));
        found
    }
}

fn is_active(outcome: &Outcome) -> bool {
    matches!(
        outcome.verdict,
        Verdict::Account {
            status: Status::Active,
            ..
        }
    )
}

/// Whether the account is active, and not merely left so.
fn follows_groups(outcome: &Outcome) -> bool {
    let left = |it: &Entry| matches!(it, Entry::Frozen | Entry::Cleanup { .. });
    is_active(outcome) && !outcome.trace.entries().iter().any(left)
}

/// What one decision says about having no active account.
fn account_remedies(outcome: &Outcome, rules: &CompiledRules) -> Vec<Remedy> {
    let entries = outcome.trace.entries();
    let mut remedies: Vec<Remedy> = Vec::new();
    for remedy in entries.iter().filter_map(|it| account_remedy(it, rules)) {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    let by_row = |it: &Remedy| matches!(it, Remedy::SaysTrue { .. });
    if remedies.iter().any(by_row) {
        remedies.retain(|it| *it != Remedy::SaysActive);
    }
    remedies
}

fn account_remedy(entry: &Entry, rules: &CompiledRules) -> Option<Remedy> {
    Some(match entry {
        Entry::Scope(
            ScopeEffect::Waiting | ScopeEffect::Out { .. } | ScopeEffect::Grace { .. },
        ) => {
            let entries = rules.required.entries();
            Remedy::RequiredGroup(entries.into_iter().map(str::to_owned).collect())
        }
        Entry::OutsideFilter { filter, .. } => Remedy::Filter(filter.clone()),
        Entry::Attribute {
            target,
            from,
            effect,
        } => match effect {
            AttributeEffect::Dropped(reason) => Remedy::RowTakes {
                target: target.clone(),
                from: from.clone(),
                reason: *reason,
            },
            AttributeEffect::Flag(false) if **from == *"active" => Remedy::SaysActive,
            AttributeEffect::Flag(false) => Remedy::SaysTrue {
                target: target.clone(),
                from: from.clone(),
            },
            _ => return None,
        },
        Entry::Step {
            target,
            step,
            before,
            effect: StepEffect::Dropped,
        } => Remedy::StepTakes {
            target: target.clone(),
            step: step.clone(),
            before: before.clone(),
        },
        Entry::Suppressed(switch @ (Suppressed::Create | Suppressed::Enable)) => {
            Remedy::SwitchedOn(*switch)
        }
        Entry::Cleanup {
            reason: Reason::IdpInactive,
            ..
        } => Remedy::SaysActive,
        Entry::Cleanup {
            reason: Reason::IdpDeleted,
            ..
        } => Remedy::ProvisionedAgain,
        Entry::Condition {
            rule,
            effect:
                ConditionEffect::Drops | ConditionEffect::Disables | ConditionEffect::DisablesSince(_),
            ..
        } => Remedy::ConditionFails(rule.clone()),
        Entry::NoNameMatched => Remedy::SomeNameMatches,
        Entry::Nameless => Remedy::UserName,
        Entry::ManualStands => Remedy::DecisionLifted,
        Entry::InactivityStands { sticky, .. } => Remedy::EnabledAgain { sticky: *sticky },
        Entry::Inactive { since, .. } => Remedy::LogIn(*since),
        entry => {
            let (kind, remedy) = ended(entry)?;
            let takes = matches!(kind, OverrideKind::Exclude | OverrideKind::KeepAsIs { .. });
            return takes.then_some(remedy);
        }
    })
}

/// An override that counts, and that it would have to go.
fn ended(entry: &Entry) -> Option<(&OverrideKind, Remedy)> {
    match entry {
        Entry::Override {
            kind,
            actor,
            until,
            effect: OverrideEffect::Stands,
        } => Some((
            kind,
            Remedy::OverrideEnds {
                kind: kind.clone(),
                actor: actor.clone(),
                until: *until,
            },
        )),
        _ => None,
    }
}

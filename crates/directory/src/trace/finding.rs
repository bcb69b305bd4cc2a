//! What a decision found, asked of its trace.

use jiff::Timestamp;

use super::{
    AttributeEffect, ConditionEffect, Entry, GroupEffect, SafetyEffect, ScopeEffect, Suppressed,
};
use crate::change::Change;
use crate::model::{Reason, Status};
use crate::outcome::{Outcome, Verdict};
use crate::rules::{CleanupAction, Fault, LookupBy};

impl Outcome {
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
}

//! What the conditional rules say about one user.

use std::sync::Arc;

use jiff::Timestamp;
use scim::Resource;

use crate::cause::Trigger;
use crate::rules::{Asked, CompiledRules, Conditional, Due, PlainGroup, RuleState};
use crate::trace::{ConditionEffect, Entry, Trace};

/// What all conditional rules together say.
#[derive(Debug, Default)]
pub(crate) struct Said<'a> {
    /// Groups to add, each with the rule's name.
    pub groups: Vec<(&'a Arc<str>, &'a PlainGroup)>,
    /// The user is dropped.
    pub drop: bool,
    /// The account is disabled.
    pub disable: bool,
    /// When to look again.
    pub recheck_at: Option<Timestamp>,
}

/// Asks every rule. Those that do not hold are told only to who asks why, since most rules concern few.
pub(crate) fn ask<'a>(
    user: &Resource,
    asked: &Asked<'_>,
    now: Timestamp,
    rules: &'a CompiledRules,
    trace: &mut Trace,
) -> Said<'a> {
    let mut said = Said::default();
    for rule in &rules.conditions {
        if rule.state != RuleState::Active || !rule.holds(asked) {
            if asked.trigger == Trigger::Simulate {
                let effect = match rule.state {
                    RuleState::Active => ConditionEffect::NotSo,
                    RuleState::Shadow => ConditionEffect::Shadow,
                    RuleState::Off => ConditionEffect::Off,
                };
                trace.condition(rule, effect);
            }
            continue;
        }
        said.groups
            .extend(rule.add_groups.iter().map(|group| (&rule.name, group)));
        let mut about_account = false;
        let mut tell = |effect| {
            about_account = true;
            trace.condition(rule, effect);
        };
        if rule.drop {
            said.drop = true;
            tell(ConditionEffect::Drops);
        }
        if rule.disable {
            said.disable = true;
            tell(ConditionEffect::Disables);
        }
        if let Some(date) = &rule.disable_at {
            let attribute = || Arc::clone(&date.attribute);
            tell(match date.of(user) {
                Due::Never => ConditionEffect::WithoutDate(attribute()),
                Due::Failed(fault) => ConditionEffect::Failed(attribute(), fault),
                Due::At(at) if at <= now => {
                    said.disable = true;
                    ConditionEffect::DisablesSince(at)
                }
                Due::At(at) => {
                    said.recheck_at = Some(said.recheck_at.map_or(at, |first| first.min(at)));
                    ConditionEffect::DisablesAt(at)
                }
            });
        }
        if !about_account {
            trace.condition(rule, ConditionEffect::Holds);
        }
    }
    said
}

impl Trace {
    fn condition(&mut self, rule: &Conditional, effect: ConditionEffect) {
        let groups = rule.add_groups.iter().map(|group| Arc::clone(&group.name));
        self.push(Entry::Condition {
            rule: Arc::clone(&rule.name),
            groups: groups.collect(),
            effect,
        });
    }
}

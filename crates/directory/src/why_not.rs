//! Why not: what would have to be different for a user to have an account, or to be in a group.

use crate::model::Status;
use crate::name::same;
use crate::outcome::{Outcome, Verdict};
use crate::overrides::OverrideKind;
use crate::rules::CompiledRules;
use crate::trace::{
    AddedBy, AttributeEffect, ConditionEffect, Entry, GroupEffect, OverrideEffect, ScopeEffect,
    StepEffect, Suppressed,
};
use crate::{Line, Reason};

impl Outcome {
    /// What would have to be different for the user to have an active account; nothing if there is one.
    pub fn why_no_account(&self, rules: &CompiledRules) -> Vec<String> {
        if let Verdict::Account {
            status: Status::Active,
            ..
        } = self.verdict
        {
            return Vec::new();
        }
        let entries = self.trace.entries().iter();
        let mut conditions: Vec<String> = entries.filter_map(|it| lacks(it, rules)).collect();
        conditions.dedup();
        conditions
    }

    /// What would have to be different for the user to be in a group; nothing if the decision puts the user there.
    pub fn why_not_group(&self, group: &str, rules: &CompiledRules) -> Vec<String> {
        if self.why_group(group).member {
            return Vec::new();
        }
        let mut conditions = self.why_no_account(rules);
        let entries = self.trace.entries().iter();
        conditions.extend(entries.filter_map(|entry| stands_in_the_way(entry, group)));
        let named = |entry: &Entry| matches!(entry, Entry::Group { name, effect, .. } if leads_to(name, effect, group));
        if !self.trace.entries().iter().any(named) {
            conditions.push(format!(
                "be in a source group whose name becomes `{group}`, or have a mapping row for `groups` give it, or have \
                 `{group}` in `groups.always_assign`"
            ));
            conditions.extend(lists_against(rules, group));
        }
        conditions.dedup();
        conditions
    }

    /// How an attribute came about, by the name of its target; none if no row is about it.
    pub fn why_attribute(&self, target: &str) -> Option<Vec<Line>> {
        let lines: Vec<Line> = self
            .trace
            .entries()
            .iter()
            .filter(|entry| match entry {
                Entry::Attribute { target: of, .. }
                | Entry::Step { target: of, .. }
                | Entry::Sought { target: of, .. } => of.eq_ignore_ascii_case(target),
                Entry::Suppressed(what) => *what == Suppressed::Update,
                Entry::Override { kind, .. } => matches!(kind, OverrideKind::KeepAsIs { .. }),
                _ => false,
            })
            .map(|entry| self.line(entry))
            .collect();
        let about = |line: &Line| line.text.contains('`');
        lines.iter().any(about).then_some(lines)
    }
}

/// What a thing that was found or done says about having an active account.
fn lacks(entry: &Entry, rules: &CompiledRules) -> Option<String> {
    Some(match entry {
        Entry::Scope(
            ScopeEffect::Waiting | ScopeEffect::Out { .. } | ScopeEffect::Grace { .. },
        ) => {
            format!(
                "be in one of the required groups: {}",
                rules.required.entries().join(", ")
            )
        }
        Entry::Attribute {
            target,
            from,
            effect: AttributeEffect::Dropped(reason),
        } => format!(
            "the value of {from} must be one that the row for `{target}` takes: it drops the user ({})",
            reason.as_str()
        ),
        Entry::Attribute {
            target,
            from,
            effect: AttributeEffect::Flag(false),
        } => format!("{from}, from which `{target}` comes, must say true"),
        Entry::Step {
            target,
            step,
            before,
            effect: StepEffect::Dropped,
        } => format!(
            "{step} of the row for `{target}` must not drop the user, as it does at {before}"
        ),
        Entry::Suppressed(Suppressed::Create) => "`accounts.create` must be on".to_owned(),
        Entry::Suppressed(Suppressed::Enable) => "`accounts.enable` must be on".to_owned(),
        Entry::Cleanup { reason, .. } => return told(*reason),
        Entry::Condition {
            rule,
            effect:
                ConditionEffect::Drops | ConditionEffect::Disables | ConditionEffect::DisablesSince(_),
            ..
        } => format!("the condition `{rule}` must not hold, which takes the account"),
        Entry::Nameless => "the rows of the mapping must give a user name".to_owned(),
        Entry::ManualStands => "an administrator must lift the decision on the account".to_owned(),
        Entry::InactivityStands => {
            "an administrator must enable the account: it was cleaned up for inactivity, and that stays".to_owned()
        }
        Entry::Inactive { since, .. } => format!(
            "the user must log in: that did not happen since {since}, longer than `inactivity.days` allows"
        ),
        Entry::OutsideFilter { filter, .. } => {
            format!("`scope.filter` must hold for the user: {filter}")
        }
        Entry::Override {
            kind: OverrideKind::Exclude | OverrideKind::KeepAsIs { .. },
            actor,
            until,
            effect: OverrideEffect::Stands,
        } => ended(actor, *until),
        _ => return None,
    })
}

/// What the provider would have to say.
fn told(reason: Reason) -> Option<String> {
    match reason {
        Reason::IdpInactive => Some("the identity provider must say that the user is active".to_owned()),
        Reason::IdpDeleted => Some("the identity provider must provision the user again".to_owned()),
        Reason::FilteredNoMatch => Some(
            "the name of a source group must match a rule of `groups.names`, or a value a row that filters".to_owned(),
        ),
        _ => None,
    }
}

fn ended(actor: &str, until: Option<jiff::Timestamp>) -> String {
    let end = until.map_or_else(
        || "ends when the identity provider says something else of the user".to_owned(),
        |until| format!("ends at {until}"),
    );
    format!("the override of {actor} must be removed; it {end}")
}

/// What a thing that was found or done says against being in a group.
fn stands_in_the_way(entry: &Entry, group: &str) -> Option<String> {
    Some(match entry {
        Entry::Group { name, effect, .. } if leads_to(name, effect, group) => match effect {
            GroupEffect::NoRuleMatched => {
                format!("a rule of `groups.names` must match `{name}`")
            }
            GroupEffect::TransformedAway => {
                format!("the rules of `groups.names` must leave something of `{name}`")
            }
            GroupEffect::NotAName(made) => {
                format!("the rules of `groups.names` must make of `{name}` what can name a group; {made:?} cannot")
            }
            GroupEffect::NotInOnlyAssign(made) => format!("`groups.only_assign` must have `{made}`"),
            GroupEffect::NeverAssign { entry, .. } => never_assigned(entry),
            GroupEffect::Protected { entry, .. } => {
                format!("`{entry}` must go from `groups.protected`")
            }
            GroupEffect::Unmapped => format!("a row of `groups.mapping` must have `{name}`"),
            GroupEffect::Waiting(made) => {
                format!("an administrator must decide that `{name}` may feed `{made}`")
            }
            GroupEffect::Ignored => format!(
                "an administrator must take back the decision that `{name}` feeds no group"
            ),
            GroupEffect::NestingIgnored => format!(
                "`groups.nested_groups` must be `flatten` or `preserve`, or the user must be in `{name}` directly"
            ),
            GroupEffect::NestingPreserved(made) => format!(
                "`groups.nested_groups` must be `flatten` for a membership in `{made}` of its own; products see the user \
                 in it by way of the groups between"
            ),
            GroupEffect::GrantedAs(made) if !same(made, group) => {
                format!("the rules must make `{group}` of `{name}`, of which they make `{made}`")
            }
            GroupEffect::Granted | GroupEffect::GrantedAs(_) => return None,
        },
        Entry::Added {
            group: name,
            by: AddedBy::Refused(entry),
        } if same(name, group) => format!("`{entry}` must go from `groups.protected`"),
        Entry::GroupsUntouched => {
            "a rule of `groups.names` must match the name of a source group; until then memberships stay as they are"
                .to_owned()
        }
        Entry::Frozen => "the account must be active: until then memberships stay as they are".to_owned(),
        Entry::Override {
            kind,
            actor,
            until,
            effect: OverrideEffect::Stands,
        } if kind.as_str() == "keep_out_of_group"
            && kind.group().is_some_and(|name| same(name, group)) =>
        {
            ended(actor, *until)
        }
        Entry::Override {
            kind: OverrideKind::KeepAsIs { .. },
            actor,
            until,
            effect: OverrideEffect::Stands,
        } => ended(actor, *until),
        _ => return None,
    })
}

/// Whether a group that somebody names is, or was to become, this one.
fn leads_to(name: &str, effect: &GroupEffect, group: &str) -> bool {
    match effect {
        GroupEffect::GrantedAs(made)
        | GroupEffect::NotAName(made)
        | GroupEffect::NotInOnlyAssign(made)
        | GroupEffect::NestingPreserved(made)
        | GroupEffect::Waiting(made)
        | GroupEffect::Protected { name: made, .. }
        | GroupEffect::NeverAssign { name: made, .. } => same(made, group) || same(name, group),
        GroupEffect::Granted
        | GroupEffect::NoRuleMatched
        | GroupEffect::TransformedAway
        | GroupEffect::Unmapped
        | GroupEffect::Ignored
        | GroupEffect::NestingIgnored => same(name, group),
    }
}

/// Groups that are off are the same as an entry for every name.
fn never_assigned(entry: &str) -> String {
    match entry {
        "re:.*" => {
            "`groups.enabled` must be on, without `re:.*` in `groups.never_assign`".to_owned()
        }
        entry => format!("`{entry}` must go from `groups.never_assign`"),
    }
}

/// What the lists would say if the user were in a source group of that name.
fn lists_against(rules: &CompiledRules, group: &str) -> Vec<String> {
    let mut conditions = Vec::new();
    if !rules.is_listed_only(group, None) {
        conditions.push(format!("`groups.only_assign` must have `{group}`"));
    }
    if let Some(entry) = rules.never_assign.find(group, None) {
        conditions.push(never_assigned(entry));
    }
    if let Some(entry) = rules.protected.find(group, None) {
        conditions.push(format!("`{entry}` must go from `groups.protected`"));
    }
    conditions
}

//! How large rules may be, and which of their numbers make sense.

use super::compile::{
    ALIAS_DAYS_MAX, DAYS_MAX, GRACE_MINUTES_MAX, GROUP_ROWS_MAX, LIST_ENTRIES_MAX, RULES_MAX,
    STEPS_MAX,
};
use super::lifecycle::{CleanupAction, Loss};
use super::step_compile;
use super::{Cleanup, Inactivity, RuleError, Rules};

/// Refuses more than fits.
pub(super) fn check_sizes(rules: &Rules, errors: &mut Vec<RuleError>) {
    let mut at_most = |count: usize, max: usize, path: &str, what: &str| {
        if count > max {
            let message = format!("there are {count} {what}, and {max} are the most");
            let remedy = match what {
                "days" | "minutes" => "choose fewer",
                _ => "join or remove some",
            };
            errors.push(RuleError::new(path, message, remedy));
        }
    };
    let groups = &rules.groups;
    let count = rules.mapping.len() + groups.names.rules.len() + rules.conditions.len();
    at_most(count, RULES_MAX, "mapping", "rules");
    for (index, row) in rules.mapping.iter().enumerate() {
        let path = format!("mapping[{index}].steps");
        at_most(step_compile::count(&row.steps), STEPS_MAX, &path, "steps");
    }
    for (index, rule) in groups.names.rules.iter().enumerate() {
        let path = format!("groups.names.rules[{index}].steps");
        at_most(step_compile::count(&rule.steps), STEPS_MAX, &path, "steps");
    }
    for (list, path) in [
        (&groups.only_assign, "groups.only_assign"),
        (&groups.never_assign, "groups.never_assign"),
        (&groups.always_assign, "groups.always_assign"),
        (&groups.new_user_groups, "groups.new_user_groups"),
        (&groups.protected, "groups.protected"),
        (&groups.never_remove, "groups.never_remove"),
        (&rules.scope.required_groups, "scope.required_groups"),
        (&rules.cleanup.exempt_groups, "cleanup.exempt_groups"),
        (&rules.cleanup.strip_exempt, "cleanup.strip_exempt"),
    ] {
        at_most(list.len(), LIST_ENTRIES_MAX, path, "entries");
    }
    for (index, rule) in rules.conditions.iter().enumerate() {
        let path = format!("conditions[{index}].add_groups");
        at_most(rule.add_groups.len(), LIST_ENTRIES_MAX, &path, "entries");
    }
    let rows = groups.mapping.as_ref().map_or(0, |it| it.rows.len());
    at_most(rows, GROUP_ROWS_MAX, "groups.mapping.rows", "rows");
    for (index, row) in groups.mapping.iter().flat_map(|it| &it.rows).enumerate() {
        let path = format!("groups.mapping.rows[{index}].groups");
        at_most(row.groups.len(), LIST_ENTRIES_MAX, &path, "entries");
    }
    let (days, max) = (usize::from(groups.alias_days), usize::from(ALIAS_DAYS_MAX));
    at_most(days, max, "groups.alias_days", "days");
    let (minutes, max) = (
        rules.scope.grace_minutes as usize,
        GRACE_MINUTES_MAX as usize,
    );
    at_most(minutes, max, "scope.grace_minutes", "minutes");
    let (days, max) = (rules.accounts.names_reserved_days, DAYS_MAX as usize);
    at_most(days as usize, max, "accounts.names_reserved_days", "days");
    for (loss, name) in Loss::ALL {
        let days = rules.cleanup.later(loss).map_or(0, |it| it.after_days);
        let path = format!("cleanup.later.{name}.after_days");
        at_most(days as usize, DAYS_MAX as usize, &path, "days");
    }
    if let Some(rule) = &rules.inactivity {
        let (days, max) = (rule.days as usize, DAYS_MAX as usize);
        at_most(days, max, "inactivity.days", "days");
        let days = rule.sticky_days.unwrap_or_default() as usize;
        at_most(days, max, "inactivity.sticky_days", "days");
        for (list, path) in [
            (&rule.only_groups, "inactivity.only_groups"),
            (&rule.never, "inactivity.never"),
        ] {
            at_most(list.len(), LIST_ENTRIES_MAX, path, "entries");
        }
    }
}

/// A second stage comes after the first, and takes more.
pub(super) fn check_stages(cleanup: &Cleanup, errors: &mut Vec<RuleError>) {
    for (loss, name) in Loss::ALL {
        let Some(later) = cleanup.later(loss) else {
            continue;
        };
        let first = cleanup.first(loss);
        if later.after_days == 0 {
            let path = format!("cleanup.later.{name}.after_days");
            let message = "after no days there is no second stage";
            let remedy = "write 1 or more, or make it the first stage";
            errors.push(RuleError::new(path, message, remedy));
        }
        if later.action.severity() <= first.severity() {
            let path = format!("cleanup.later.{name}.action");
            let (first, then) = (first.as_str(), later.action.as_str());
            let message = format!("`{then}` takes no more than `{first}`, which happens at once");
            let remedy = "write an action that takes more, or remove the second stage";
            errors.push(RuleError::new(path, message, remedy));
        }
    }
}

/// Inactivity that can never take effect, or takes effect on everybody.
pub(super) fn check_inactivity(rule: &Inactivity, errors: &mut Vec<RuleError>) {
    if rule.days == 0 {
        let message = "nobody logs in all the time";
        let remedy = "write 1 or more";
        errors.push(RuleError::new("inactivity.days", message, remedy));
    }
    if rule.sticky_days.is_some() && !rule.sticky {
        let message = "without `sticky` the next word of the identity provider counts anyway";
        let remedy = "switch `sticky` on, or leave this out";
        errors.push(RuleError::new("inactivity.sticky_days", message, remedy));
    }
    if rule.sticky_days == Some(0) {
        let message = "after no days nothing sticks";
        let remedy = "write 1 or more, leave it out for ever, or switch `sticky` off";
        errors.push(RuleError::new("inactivity.sticky_days", message, remedy));
    }
    let message = match rule.action {
        CleanupAction::Keep => "`keep` does nothing",
        CleanupAction::Delete if rule.sticky => {
            "nobody could bring back what a sticky rule deletes"
        }
        _ => return,
    };
    let remedy = "write `disable` or `anonymise`";
    errors.push(RuleError::new("inactivity.action", message, remedy));
}

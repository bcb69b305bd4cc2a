//! Warnings about single steps and filters that hardly mean what was meant.

use super::lint::warn;
use super::{RuleError, Rules, Step};
use crate::cause::Trigger;

/// Formats of dates that have no field, and filters that ask for what sets off no evaluation.
pub(super) fn warnings(rules: &Rules, found: &mut Vec<RuleError>) {
    for (index, row) in rules.mapping.iter().enumerate() {
        of_steps(&row.steps, &format!("mapping[{index}].steps"), found);
    }
    for (index, rule) in rules.groups.names.rules.iter().enumerate() {
        of_steps(
            &rule.steps,
            &format!("groups.names.rules[{index}].steps"),
            found,
        );
    }
    for (index, rule) in rules.conditions.iter().enumerate() {
        of_filter(&rule.when, &format!("conditions[{index}].when"), found);
    }
    for (filter, path) in [
        (&rules.scope.filter, "scope.filter"),
        (&rules.cleanup.exempt_when, "cleanup.exempt_when"),
    ] {
        if let Some(filter) = filter {
            of_filter(filter, path, found);
        }
    }
}

fn of_steps(steps: &[Step], path: &str, found: &mut Vec<RuleError>) {
    for (index, step) in steps.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match step {
            Step::DateParse {
                format: Some(format),
            } => of_format(format, &format!("{path}.date_parse.format"), found),
            Step::DateFormat { format } => {
                of_format(format, &format!("{path}.date_format.format"), found);
            }
            Step::DropUserIf { when } => {
                of_filter(when, &format!("{path}.drop_user_if.when"), found);
            }
            Step::If {
                when,
                then,
                otherwise,
            } => {
                of_filter(when, &format!("{path}.if.when"), found);
                of_steps(then, &format!("{path}.if.then"), found);
                of_steps(otherwise, &format!("{path}.if.else"), found);
            }
            _ => {}
        }
    }
}

fn of_format(format: &str, path: &str, found: &mut Vec<RuleError>) {
    if !format.contains('%') {
        warn(
            found,
            path,
            format!("`{format}` has no field, so it is always the same text"),
            "write fields as in `%d.%m.%Y`",
        );
    }
}

fn of_filter(filter: &str, path: &str, found: &mut Vec<RuleError>) {
    let words: Vec<&str> = filter.split_whitespace().collect();
    for asked in words.windows(3) {
        let is_asked = asked[0]
            .trim_start_matches('(')
            .eq_ignore_ascii_case("trigger")
            && asked[1].eq_ignore_ascii_case("eq");
        let word = asked[2].trim_end_matches(')').trim_matches('"');
        // The words are compared without regard to case.
        if is_asked && Trigger::parse(&word.to_ascii_lowercase()).is_none() {
            warn(
                found,
                path,
                format!("nothing that sets off an evaluation is called `{word}`"),
                "ask for `scim`, `login`, `reconcile`, `simulate`, `import` or `product`",
            );
        }
    }
}

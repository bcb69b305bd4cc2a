//! Warnings: rules that can be carried out and hardly mean what was meant.

use super::list::NameList;
use super::step_compile::name_of;
use super::{
    GroupNames, MappingRow, NameMode, OnMet, OnNoMatch, RegexMode, Rename, RuleError, Rules,
    Source, Step, Target, group_lint, list_lint, step_lint,
};
use crate::name::{folded, same};

/// Contradictions in rules, each with its place and what to do. The rules work all the same.
pub fn warnings(rules: &Rules) -> Vec<RuleError> {
    let mut found = Vec::new();
    for (index, row) in rules.mapping.iter().enumerate() {
        row_warnings(row, &format!("mapping[{index}]"), &mut found);
    }
    name_warnings(&rules.groups.names, &mut found);
    list_warnings(rules, &mut found);
    group_lint::warnings(rules, &mut found);
    list_lint::warnings(rules, &mut found);
    step_lint::warnings(rules, &mut found);
    account_warnings(rules, &mut found);
    found
}

pub(super) fn warn(
    found: &mut Vec<RuleError>,
    path: impl Into<String>,
    message: impl Into<String>,
    remedy: &str,
) {
    found.push(RuleError::new(path, message, remedy));
}

fn row_warnings(row: &MappingRow, path: &str, found: &mut Vec<RuleError>) {
    if row.on_no_match != OnNoMatch::Pass && !row.steps.iter().any(must_match) {
        warn(
            found,
            format!("{path}.on_no_match"),
            "no step has to match, so this has no effect",
            "add a `regex_replace` of mode `whole` or a `map`, or remove it",
        );
    }
    let fixed = matches!(row.source, Some(Source::Constant(_)));
    if fixed && row.on_null.is_some() && row.steps.is_empty() {
        warn(
            found,
            format!("{path}.on_null"),
            "a constant always has a value, so this has no effect",
            "remove it",
        );
    }
    for (index, step) in row.steps.iter().enumerate() {
        let overwrites = matches!(step, Step::Constant(_) | Step::Now);
        let decides = |step: &Step| {
            must_match(step)
                || matches!(
                    step,
                    Step::If { .. }
                        | Step::DropUserIf { .. }
                        | Step::IgnoreIfEmpty
                        | Step::Map { .. }
                )
        };
        if overwrites && index > 0 && !row.steps[..index].iter().any(decides) {
            warn(
                found,
                format!("{path}.steps[{index}]"),
                format!(
                    "`{}` overwrites what the steps before it made",
                    name_of(step)
                ),
                "remove the steps before it, or put it into an `if`",
            );
        }
    }
    if row.target == Target::Username && row.on_null == Some(super::OnNull::Clear) {
        warn(
            found,
            format!("{path}.on_null"),
            "nobody can be without a user name, so the old name stays",
            "use `keep` or `drop_user`",
        );
    }
}

fn must_match(step: &Step) -> bool {
    match step {
        Step::RegexReplace { mode, .. } => *mode == RegexMode::Whole,
        Step::Map { default, .. } => *default == super::MapDefault::Pass,
        Step::If {
            then, otherwise, ..
        } => then.iter().chain(otherwise).any(must_match),
        _ => false,
    }
}

fn name_warnings(names: &GroupNames, found: &mut Vec<RuleError>) {
    let conditional = |steps: &[Step]| steps.iter().any(must_match);
    if names.on_no_match != OnNoMatch::Pass && !names.rules.iter().any(|it| conditional(&it.steps))
    {
        warn(
            found,
            "groups.names.on_no_match",
            "no rule has a step that must match, so this has no effect",
            "add a `regex_replace` of mode `whole` or a `map`, or remove it",
        );
    }
    let everything = |step: &Step| {
        matches!(step, Step::RegexReplace { pattern, mode: RegexMode::Whole, .. }
            if matches!(pattern.as_str(), ".*" | "(.*)" | "^.*$" | "^(.*)$" | ".+" | "(.+)"))
    };
    if names.mode == NameMode::FirstMatch
        && let Some(index) = names
            .rules
            .iter()
            .position(|it| it.steps.iter().any(everything))
        && index + 1 < names.rules.len()
    {
        warn(
            found,
            format!("groups.names.rules[{}]", index + 1),
            format!(
                "rule {index} matches every name, so this one and those after it are never tried"
            ),
            "put that rule last, or use mode `chain`",
        );
    }
}

/// Every list of groups, with its place.
pub(super) fn lists(rules: &Rules) -> impl Iterator<Item = (&'static str, &Vec<String>)> {
    let (groups, cleanup) = (&rules.groups, &rules.cleanup);
    let always = [
        ("groups.only_assign", &groups.only_assign),
        ("groups.never_assign", &groups.never_assign),
        ("groups.always_assign", &groups.always_assign),
        ("groups.new_user_groups", &groups.new_user_groups),
        ("groups.protected", &groups.protected),
        ("groups.never_remove", &groups.never_remove),
        ("scope.required_groups", &rules.scope.required_groups),
        ("cleanup.exempt_groups", &cleanup.exempt_groups),
        ("cleanup.strip_exempt", &cleanup.strip_exempt),
    ];
    let inactive = rules.inactivity.iter().flat_map(|it| {
        [
            ("inactivity.only_groups", &it.only_groups),
            ("inactivity.never", &it.never),
        ]
    });
    always.into_iter().chain(inactive)
}

fn list_warnings(rules: &Rules, found: &mut Vec<RuleError>) {
    let groups = &rules.groups;
    let nothing = Vec::new();
    let inactive = |list: fn(&super::Inactivity) -> &Vec<String>| {
        rules.inactivity.as_ref().map_or(&nothing, list)
    };
    contradictions(
        found,
        ("inactivity.only_groups", inactive(|it| &it.only_groups)),
        ("inactivity.never", inactive(|it| &it.never)),
        "which wins",
    );
    for (path, list, what) in [
        ("groups.only_assign", &groups.only_assign, "which wins"),
        (
            "groups.always_assign",
            &groups.always_assign,
            "which does not hold for groups that everybody is in",
        ),
        (
            "groups.new_user_groups",
            &groups.new_user_groups,
            "which does not hold for groups that come with an account",
        ),
    ] {
        contradictions(
            found,
            (path, list),
            ("never_assign", &groups.never_assign),
            what,
        );
    }
    contradictions(
        found,
        ("groups.only_assign", &groups.only_assign),
        ("protected", &groups.protected),
        "so nobody gets it from here",
    );
    for (path, list) in lists(rules) {
        let mut seen = std::collections::BTreeSet::new();
        for (index, entry) in list.iter().enumerate() {
            if !seen.insert(folded(entry).into_owned()) {
                warn(
                    found,
                    format!("{path}[{index}]"),
                    format!("`{entry}` is in the list twice"),
                    "remove one",
                );
            }
        }
    }
    let lists = !groups.only_assign.is_empty() || !groups.never_assign.is_empty();
    if !groups.enabled && (lists || !groups.names.rules.is_empty()) {
        warn(
            found,
            "groups.enabled",
            "groups are off, so rules and lists for them have no effect",
            "switch groups on, or remove the rules",
        );
    }
}

/// Entries of one list of which another leaves nothing: plain names that it matches, and patterns that both have.
fn contradictions(
    found: &mut Vec<RuleError>,
    (path, list): (&str, &[String]),
    (other_name, other): (&str, &[String]),
    what: &str,
) {
    // Entries that do not compile are errors, told elsewhere.
    let other = NameList::compile(other, "", &mut Vec::new());
    for (index, entry) in list.iter().enumerate() {
        let Some(by) = other.covers(entry) else {
            continue;
        };
        let by = match same(by, entry) {
            true => String::new(),
            false => format!(" by `{by}`"),
        };
        warn(
            found,
            format!("{path}[{index}]"),
            format!("`{entry}` is in `{other_name}` too{by}, {what}"),
            "remove it from one of the lists",
        );
    }
}

fn account_warnings(rules: &Rules, found: &mut Vec<RuleError>) {
    let (cleanup, accounts) = (&rules.cleanup, &rules.accounts);
    if rules.inactivity.is_some() && !accounts.disable {
        warn(
            found,
            "inactivity",
            "`accounts.disable` is off, so nobody who does not log in loses anything",
            "switch it on, or remove the rule",
        );
    }
    if !accounts.update && accounts.rename != Rename::Follow {
        warn(
            found,
            "accounts.rename",
            "`accounts.update` is off, so no name changes anyway",
            "switch it on, or use `follow`",
        );
    }
    if !accounts.create && !rules.groups.new_user_groups.is_empty() {
        warn(
            found,
            "groups.new_user_groups",
            "`accounts.create` is off, so no account is new",
            "switch it on, or empty the list",
        );
    }
    if !rules.identity.by_username && rules.identity.on_deleted != OnMet::Conflict {
        warn(
            found,
            "identity.on_deleted",
            "`identity.by_username` is off, so nobody is taken for the same person by name",
            "switch it on, or use `conflict`",
        );
    }
    let takes = [
        ("idp_inactive", cleanup.idp_inactive),
        ("idp_deleted", cleanup.idp_deleted),
        ("out_of_scope", cleanup.out_of_scope),
        ("dropped", cleanup.dropped),
    ];
    for (cause, action) in takes {
        if action == super::CleanupAction::Delete && !rules.accounts.disable {
            warn(
                found,
                format!("cleanup.{cause}"),
                "`accounts.disable` is off, so no account is deleted either",
                "switch it on, or use `keep`",
            );
        }
    }
}

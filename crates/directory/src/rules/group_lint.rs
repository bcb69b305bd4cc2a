//! Warnings about groups that rules name and that other rules keep away.

use super::lint::warn;
use super::list::NameList;
use super::{RenamePolicy, RuleError, RuleState, Rules, Unmapped};
use crate::name::same;

/// Contradictions between the rules that name groups.
pub(super) fn warnings(rules: &Rules, found: &mut Vec<RuleError>) {
    let groups = &rules.groups;
    // Entries that do not compile are errors, told elsewhere.
    let list = |entries: &[String]| NameList::compile(entries, "", &mut Vec::new());
    let protected = list(&groups.protected);
    for (path, name) in named(rules) {
        if let Some(entry) = protected.find(name, None) {
            warn(
                found,
                path,
                format!("`{name}` is in `protected` by `{entry}`, so nobody gets it from here"),
                "remove it here, or from `groups.protected`",
            );
        }
    }
    for (index, name) in groups.new_user_groups.iter().enumerate() {
        if groups.always_assign.iter().any(|it| same(it, name)) {
            warn(
                found,
                format!("groups.new_user_groups[{index}]"),
                format!("everybody is in `{name}` by `always_assign`, new or not"),
                "remove it from one of the lists",
            );
        }
    }
    condition_warnings(rules, &list(&groups.never_assign), found);
    mapping_warnings(rules, found);
    if groups.rename == RenamePolicy::Alias && groups.alias_days == 0 {
        warn(
            found,
            "groups.alias_days",
            "a former name that stays for no day is no alias",
            "give it days, or use `follow`",
        );
    }
}

/// Whether the entries of a list are names and nothing else.
pub(super) fn is_plain(path: &str) -> bool {
    matches!(path, "groups.always_assign" | "groups.new_user_groups")
}

/// Every group that rules name plainly for users to be put into, with its place.
fn named(rules: &Rules) -> impl Iterator<Item = (String, &str)> {
    let plain = super::lint::lists(rules).filter(|(path, _)| is_plain(path));
    let listed = plain.flat_map(|(path, names)| placed(path.to_owned(), names));
    listed.chain(named_one_by_one(rules))
}

/// Those of them that single conditions and rows name.
pub(super) fn named_one_by_one(rules: &Rules) -> impl Iterator<Item = (String, &str)> {
    let conditions = rules.conditions.iter().enumerate();
    let conditions = conditions
        .map(|(index, rule)| (format!("conditions[{index}].add_groups"), &rule.add_groups));
    let rows = rules
        .groups
        .mapping
        .iter()
        .flat_map(|it| &it.rows)
        .enumerate();
    let rows =
        rows.map(|(index, row)| (format!("groups.mapping.rows[{index}].groups"), &row.groups));
    conditions
        .chain(rows)
        .flat_map(|(path, names)| placed(path, names))
}

fn placed(path: String, names: &[String]) -> impl Iterator<Item = (String, &str)> {
    let names = names.iter().enumerate();
    names.map(move |(index, name)| (format!("{path}[{index}]"), name.as_str()))
}

fn condition_warnings(rules: &Rules, never: &NameList, found: &mut Vec<RuleError>) {
    for (index, rule) in rules.conditions.iter().enumerate() {
        let path = format!("conditions[{index}]");
        let disables = rule.disable || rule.disable_at.is_some();
        if rule.drop && (disables || !rule.add_groups.is_empty()) {
            warn(
                found,
                format!("{path}.drop"),
                "users who are dropped get nothing else from the rule",
                "make two rules of it, or remove what has no effect",
            );
        }
        if rule.disable && rule.disable_at.is_some() {
            warn(
                found,
                format!("{path}.disable_at"),
                "accounts are disabled without regard to the date",
                "remove `disable` or `disable_at`",
            );
        }
        if disables && !rules.accounts.disable && rule.state == RuleState::Active {
            warn(
                found,
                path.as_str(),
                "`accounts.disable` is off, so no account is disabled",
                "switch it on, or remove the rule",
            );
        }
        for (place, name) in rule.add_groups.iter().enumerate() {
            if never.find(name, None).is_some() {
                warn(
                    found,
                    format!("{path}.add_groups[{place}]"),
                    format!(
                        "`{name}` is in `never_assign` too, which does not hold for groups that conditions add"
                    ),
                    "remove it from one of them",
                );
            }
        }
    }
}

fn mapping_warnings(rules: &Rules, found: &mut Vec<RuleError>) {
    let groups = &rules.groups;
    let Some(mapping) = &groups.mapping else {
        return;
    };
    let list = |entries: &[String]| NameList::compile(entries, "", &mut Vec::new());
    let (only, never) = (list(&groups.only_assign), list(&groups.never_assign));
    for (index, row) in mapping.rows.iter().enumerate() {
        for (place, name) in row.groups.iter().enumerate() {
            let source = Some(row.source.name.as_str());
            let missing = !only.is_empty() && only.find(name, source).is_none();
            let list = match (missing, never.find(name, source)) {
                (true, _) => "is not in `only_assign`",
                (false, Some(_)) => "is in `never_assign`",
                (false, None) => continue,
            };
            warn(
                found,
                format!("groups.mapping.rows[{index}].groups[{place}]"),
                format!("`{name}` {list}, so nobody gets it from here"),
                "change the list, or remove the group from the row",
            );
        }
    }
    if mapping.unmapped == Unmapped::Ignore && !groups.names.rules.is_empty() {
        warn(
            found,
            "groups.names",
            "`groups.mapping` leaves out what it has no row for, so no name is ever changed here",
            "use `unmapped`: `pass`, or remove the rules for names",
        );
    }
}

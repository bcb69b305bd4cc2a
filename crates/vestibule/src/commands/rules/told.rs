//! What `vestibule rules` tells a person.

use std::collections::BTreeSet;

use provision::NameHolder;
use serde::Deserialize as _;
use serde_json::Value;

use super::text;
use crate::output::{counted_in, difference, fields, quoted, table};

/// Members of an attribute list that a person sees of an account.
const SHOWN: [(&str, &str); 5] = [
    ("email", "email"),
    ("display_name", "full name"),
    ("first_name", "first name"),
    ("last_name", "last name"),
    ("status", "status"),
];

/// That a name belongs to somebody, and to whom.
pub(super) fn whose(user: &Value) -> String {
    let holder = NameHolder::deserialize(&user["taken_by"]);
    holder.map_or_else(
        |_| "belongs to somebody else".to_owned(),
        |holder| format!("belongs to {holder}"),
    )
}

/// The versions of rules.
pub(super) fn versions(all: &[Value]) -> String {
    let rows = all.iter().map(|one| {
        [
            one["version"].to_string(),
            text(one, "created"),
            text(one, "author"),
            text(one, "comment"),
        ]
    });
    table(["version", "made", "by", "for"], rows)
}

/// Differences between rules.
pub(super) fn differences(items: &Value) -> String {
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        return "The rules say the same.".to_owned();
    }
    let lines: Vec<String> = items
        .iter()
        .map(|one| difference(&text(one, "path"), &one["before"], &one["after"]))
        .collect();
    lines.join("\n")
}

/// What is wrong with rules.
pub(super) fn errors(items: &Value) -> String {
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<String> = items
        .iter()
        .map(|one| {
            let (path, message) = (text(one, "path"), text(one, "message"));
            format!("{path}: {message}; {}", text(one, "remedy"))
        })
        .collect();
    lines.join("\n")
}

/// What rules say in vain, behind what was told before; nothing if there is nothing.
pub(super) fn warnings(items: &Value) -> String {
    match errors(items) {
        none if none.is_empty() => none,
        lines => lines
            .lines()
            .map(|line| format!("\nwarning: {line}"))
            .collect(),
    }
}

/// What a check found: the rules are valid, but perhaps refused for what is stored.
pub(super) fn check(checked: &Value) -> String {
    let (results, warnings) = (results(&checked["tests"]), warnings(&checked["warnings"]));
    match errors(&checked["refusals"]) {
        none if none.is_empty() => format!("The rules are valid. {results}{warnings}"),
        refusals => format!("{refusals}\n{results}{warnings}"),
    }
}

/// The results of tests.
pub(super) fn results(run: &Value) -> String {
    let all = run["results"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if all.is_empty() {
        return "There are no tests.".to_owned();
    }
    let mut lines = vec![format!(
        "{} passed, {} failed.",
        counted_in(&run["passed"], "test", "tests"),
        run["failed"]
    )];
    for one in all.iter().filter(|one| one["passed"] != Value::Bool(true)) {
        lines.push(format!("failed: {}", text(one, "name")));
        lines.extend(mismatches(one).into_iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

/// What came out otherwise in one test.
pub(super) fn mismatches(result: &Value) -> Vec<String> {
    let all = result["mismatches"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    all.iter()
        .map(|it| {
            let what = text(it, "what");
            format!("{what} should be {} and is {}", it["expected"], it["found"])
        })
        .collect()
}

/// A line for each kind of which safety limits would hold something.
fn held(limits: &Value, whose: &str) -> Vec<String> {
    let kinds = limits.as_object().into_iter().flatten();
    kinds
        .filter_map(|(kind, limit)| {
            let count = |name: &str| limit[name].as_u64().unwrap_or_default();
            if count("held") == 0 {
                return None;
            }
            let allowed = match limit["allowed"].as_u64() {
                Some(allowed) => format!("{allowed} may, {} did before", count("used")),
                None => "none of it by a number".to_owned(),
            };
            let all = count("held") + count("passes");
            let kind = kind.replace('_', " ");
            Some(format!(
                "HELD by safety limits{whose}: {} of {all} ({kind}); {allowed}",
                count("held")
            ))
        })
        .collect()
}

/// What comes of those who keep their accounts only for a while.
fn after_grace(forecast: &Value) -> Vec<String> {
    let counts = forecast["operations"].as_object().into_iter().flatten();
    let counts: Vec<String> = counts
        .map(|(operation, count)| format!("{} {count}", operation.replace('_', " ")))
        .collect();
    if counts.is_empty() {
        return Vec::new();
    }
    let first = text(forecast, "first");
    let mut lines = vec![format!(
        "LATER, when grace times end (the first at {first}): {}",
        counts.join(", ")
    )];
    lines.extend(held_by(forecast, " then"));
    lines
}

/// The same for the limits of the connector and of others.
fn held_by(forecast: &Value, when: &str) -> Vec<String> {
    let mut lines = held(&forecast["limits"], when);
    let others = forecast["limits_of_others"].as_object();
    for (connector, limits) in others.into_iter().flatten() {
        lines.extend(held(
            limits,
            &format!(" of the connector {connector}{when}"),
        ));
    }
    lines
}

/// What safety limits would hold, at once and when grace times end, and what comes then.
pub(super) fn limits(summary: &Value) -> Vec<String> {
    let mut lines = held_by(summary, "");
    lines.extend(after_grace(&summary["after_grace"]));
    lines
}

/// A preview with some of its users.
pub(super) fn preview(connector: &str, preview: &Value, users: &Value, more: bool) -> String {
    let summary = &preview["summary"];
    let mut counts = vec![("users looked at".to_owned(), summary["users"].to_string())];
    for (operation, count) in summary["operations"].as_object().into_iter().flatten() {
        // A run counts memberships there.
        let of_users = if operation.starts_with("group_") {
            " (users)"
        } else {
            ""
        };
        counts.push((operation.replace('_', " ") + of_users, count.to_string()));
    }
    let counts: Vec<(&str, &str)> = counts
        .iter()
        .map(|(name, count)| (name.as_str(), count.as_str()))
        .collect();
    let mut parts = vec![fields(&counts)];
    for (key, what) in [
        ("new_groups", "new groups"),
        ("waiting_groups", "groups that would wait for a decision"),
    ] {
        let groups = summary[key].as_array().map(Vec::as_slice);
        let names: Vec<&str> = groups
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !names.is_empty() {
            parts.push(format!("{what}: {}", names.join(", ")));
        }
    }
    parts.extend(limits(summary));
    let users = users.as_array().map(Vec::as_slice).unwrap_or_default();
    if !users.is_empty() {
        let rows = users.iter().map(|user| {
            [
                text(user, "user_name"),
                words(&user["operations"]),
                changed(user),
            ]
        });
        parts.push(table(["user", "operation", "change"], rows));
    }
    if more {
        parts.push(
            "There are more; --csv lists them all, --search and --operation fewer.".to_owned(),
        );
    }
    if preview["can_be_applied"] == Value::Bool(true) {
        let id = text(preview, "id");
        parts.push(format!(
            "To do exactly this: vestibule rules apply {} --preview {id}",
            quoted(connector)
        ));
    }
    parts.join("\n\n")
}

fn words(operations: &Value) -> String {
    let all = operations.as_array().map(Vec::as_slice).unwrap_or_default();
    let words: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
    words.join(", ").replace('_', " ")
}

/// What is otherwise in the attributes that rules made up.
fn attributes(before: &Value, after: &Value) -> Vec<String> {
    let of = |side: &Value, name: &str| {
        let values = side[name].as_array().into_iter().flatten();
        let values: Vec<&str> = values.filter_map(Value::as_str).collect();
        values.join(", ")
    };
    let sides = [before, after].into_iter().filter_map(Value::as_object);
    let names: BTreeSet<&String> = sides.flat_map(|side| side.keys()).collect();
    let pairs = names
        .into_iter()
        .map(|name| (name, of(before, name), of(after, name)));
    pairs
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| format!("{name}: {before} -> {after}"))
        .collect()
}

fn changed(user: &Value) -> String {
    let (before, after) = (&user["before"], &user["after"]);
    let mut parts = Vec::new();
    let names = [text(before, "username"), text(after, "username")];
    match (before.is_null(), after.is_null()) {
        (true, false) => parts.push(format!("as {}", names[1])),
        (false, false) if names[0] != names[1] => {
            parts.push(format!("{} -> {}", names[0], names[1]))
        }
        _ => {}
    }
    if !before.is_null() && !after.is_null() {
        for (member, label) in SHOWN {
            let values = [text(before, member), text(after, member)];
            if values[0] != values[1] {
                parts.push(format!("{label}: {} -> {}", values[0], values[1]));
            }
        }
        parts.extend(attributes(&before["extra"], &after["extra"]));
    }
    let changes = user["changes"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for change in changes {
        match text(change, "change").as_str() {
            "add_membership" => parts.push(format!("+{}", text(change, "group"))),
            "remove_membership" => parts.push(format!("-{}", text(change, "group"))),
            _ => {}
        }
    }
    let later = &user["after_grace"];
    if !later.is_null() {
        let (at, what) = (text(later, "at"), words(&later["operations"]));
        parts.push(format!("from {at}: {what}"));
    }
    for one in user["held"].as_array().into_iter().flatten() {
        let change = &one["change"];
        let what = match text(change, "change").as_str() {
            "remove_membership" => format!("-{}", text(change, "group")),
            other => other.replace('_', " "),
        };
        parts.push(format!("{what} held"));
    }
    if let Some(name) = user["taken_name"].as_str() {
        parts.push(format!("{name} {}", whose(user)));
    }
    for error in user["errors"].as_array().into_iter().flatten() {
        parts.push(format!(
            "{} {}",
            text(error, "target"),
            text(error, "message")
        ));
    }
    parts.join(", ")
}

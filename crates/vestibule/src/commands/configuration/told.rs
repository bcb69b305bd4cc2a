//! What `vestibule plan` and `vestibule apply` tell a person.

use serde_json::Value;

/// How long a value may be that is shown in a line, in characters.
const VALUE_CHARS_MAX: usize = 120;

/// How many steps a plan has.
pub(super) fn steps(plan: &Value) -> usize {
    list(plan, "steps").len()
}

/// A plan.
pub(super) fn plan(plan: &Value, prune: bool) -> String {
    let mut lines = Vec::new();
    for step in list(plan, "steps") {
        lines.push(text(step, "summary").to_owned());
        lines.extend(list(step, "differences").iter().map(difference));
        let notes = list(step, "notes").iter().filter_map(Value::as_str);
        lines.extend(notes.map(|note| format!("  {note}")));
    }
    lines.extend(kept(plan, prune));
    let count = |action: &str| {
        let steps = list(plan, "steps").iter();
        steps.filter(|step| text(step, "action") == action).count()
    };
    lines.push(match steps(plan) {
        0 => "Everything is as the file says.".to_owned(),
        _ => format!(
            "{} to create, {} to change, {} to delete; ground {}",
            count("create"),
            count("change"),
            count("delete"),
            text(plan, "ground")
        ),
    });
    lines.join("\n")
}

/// What was done.
pub(super) fn applied(applied: &Value) -> String {
    if steps(applied) == 0 {
        return "Everything was as the file says.".to_owned();
    }
    let mut lines = Vec::new();
    for step in list(applied, "steps") {
        let summary = text(step, "summary");
        let done = match text(step, "action") {
            "create" => summary.replacen("create ", "created ", 1),
            "change" => summary.replacen("change ", "changed ", 1),
            _ => summary.replacen("delete ", "deleted ", 1),
        };
        lines.push(done);
    }
    lines.extend(kept(applied, true));
    let secrets = list(applied, "secrets");
    if !secrets.is_empty() {
        lines.push("\nSecrets, shown this once:".to_owned());
    }
    for one in secrets {
        let id = one["id"].as_str().map(|id| format!("id {id}, secret "));
        let (summary, secret) = (text(one, "summary"), text(one, "secret"));
        lines.push(format!("  {summary}: {}{secret}", id.unwrap_or_default()));
    }
    for job in list(applied, "jobs").iter().filter_map(Value::as_str) {
        lines.push(format!("A job goes on: vestibule job show {job}"));
    }
    lines.join("\n")
}

fn kept(plan: &Value, prune: bool) -> Vec<String> {
    let kept = list(plan, "kept").iter();
    let mut lines: Vec<String> = kept
        .map(|one| format!("keep {}: {}", text(one, "summary"), text(one, "reason")))
        .collect();
    if !lines.is_empty() && !prune {
        lines.push("  --prune removes what is not in the file".to_owned());
    }
    lines
}

fn difference(one: &Value) -> String {
    let path = text(one, "path");
    match (&one["before"], &one["after"]) {
        (Value::Null, after) => format!("  + {path}: {}", short(after)),
        (before, Value::Null) => format!("  - {path}: {}", short(before)),
        (before, after) => format!("  ~ {path}: {} -> {}", short(before), short(after)),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

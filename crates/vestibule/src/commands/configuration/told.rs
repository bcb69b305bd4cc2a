//! What `vestibule plan` and `vestibule apply` tell a person.

use std::path::Path;

use serde_json::Value;

use crate::cli::FileArgs;
use crate::output::{difference_within, quoted};

/// How long a value may be that is shown in a line, in characters.
const VALUE_CHARS_MAX: usize = 120;

/// How many steps a plan has.
pub(super) fn steps(plan: &Value) -> usize {
    list(plan, "steps").len()
}

/// The connectors that are there and get other rules.
pub(super) fn connectors_with_new_rules(plan: &Value) -> impl Iterator<Item = &str> {
    let steps = list(plan, "steps").iter();
    let steps = steps.filter(|step| has_new_rules(step));
    steps.map(|step| text(step, "name"))
}

fn has_new_rules(step: &Value) -> bool {
    let is_rules = |one: &Value| text(one, "path").starts_with("rules");
    text(step, "kind") == "connector"
        && text(step, "action") == "change"
        && list(step, "differences").iter().any(is_rules)
}

/// The command that shows what new rules of a file do; the standard input cannot be read twice.
fn preview_of(step: &Value, file: &Path) -> Option<String> {
    let file = file
        .to_str()
        .filter(|file| *file != "-" && has_new_rules(step))?;
    let connector = quoted(text(step, "name"));
    Some(format!(
        "  vestibule rules preview {connector} --file {}",
        quoted(file)
    ))
}

/// A plan.
pub(super) fn plan(plan: &Value, of: &FileArgs) -> String {
    let mut lines = Vec::new();
    for step in list(plan, "steps") {
        lines.push(text(step, "summary").to_owned());
        lines.extend(list(step, "differences").iter().map(told_difference));
        let notes = list(step, "notes").iter().filter_map(Value::as_str);
        lines.extend(notes.map(|note| format!("  {note}")));
        lines.extend(preview_of(step, &of.file));
    }
    lines.extend(kept(plan, of.prune));
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
    for job in list(applied, "jobs") {
        lines.push(match job.as_str() {
            Some(id) => format!("A job goes on: vestibule job show {id} --wait"),
            None => format!(
                "Job {} is {}: {} of {}",
                text(job, "id"),
                text(job, "state"),
                job["done"],
                job["total"]
            ),
        });
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

fn told_difference(one: &Value) -> String {
    let (path, before, after) = (text(one, "path"), &one["before"], &one["after"]);
    format!(
        "  {}",
        difference_within(path, before, after, VALUE_CHARS_MAX)
    )
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

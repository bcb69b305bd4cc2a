//! `vestibule rules try`: a row, steps or rules on a typed value, one stored user or all of them (US-14).

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::file::{given, rules_in};
use super::told::whose;
use super::{LISTED_MAX, preview, rules_of, text};
use crate::cli::TryArgs;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted_in, table};

/// The target of steps that are tried by themselves, which people are not shown.
const NO_TARGET: &str = "attr:tried";

/// Does what was asked.
pub(super) fn run(door: &Door, args: &TryArgs, out: Output) -> Result<(), Failure> {
    let row = row(args)?;
    let file = args.file.as_deref();
    let rules = file
        .map(|file| rules_in(file, &args.connector))
        .transpose()?;
    if args.everybody {
        let rules = match rules {
            Some(rules) => rules,
            None => rules_of(door, &args.connector, None)?["rules"].take(),
        };
        return on_everybody(door, args, (rules, row.as_ref()), out);
    }
    let mut wish = json!({});
    let words = |values: &[String]| (!values.is_empty()).then(|| json!(values));
    let parts = [
        ("rules", rules),
        ("row", row.clone()),
        ("value", words(&args.value)),
        ("stored_user", args.user.clone().map(Value::from)),
    ];
    for (name, part) in parts {
        if let Some(part) = part {
            wish[name] = part;
        }
    }
    let path = ["connectors", args.connector.as_str(), "rules", "try"];
    let tried: Value = door.ask(Method::POST, &path, Some(&wish))?;
    out.show(&tried, |tried| match &row {
        Some(row) => of_row(tried, &text(row, "target"), args.user.is_some()),
        None => of_rules(tried),
    })
}

/// The row that is to be tried.
fn row(args: &TryArgs) -> Result<Option<Value>, Failure> {
    let (argument, flag) = match (&args.row, &args.steps) {
        (Some(row), _) => (row, "--row"),
        (None, Some(steps)) => (steps, "--steps"),
        (None, None) if args.value.is_empty() => return Ok(None),
        (None, None) => {
            let message = "a typed value needs steps that it goes through";
            return Err(Failure::new(Exit::Usage, message).with("say --row ROW or --steps STEPS"));
        }
    };
    let given = given(argument, flag)?;
    match (flag, given.is_array()) {
        ("--row", false) => Ok(Some(given)),
        ("--steps", true) => {
            let target = args.target.as_deref().unwrap_or(NO_TARGET);
            let mut row = json!({"target": target, "steps": given});
            if let Some(path) = &args.source {
                row["source"] = json!({ "attribute": path });
            }
            Ok(Some(row))
        }
        (_, is_list) => {
            let message = match is_list {
                true => "--row takes one row, an object with `target`",
                false => "--steps takes a list of steps",
            };
            let other = if is_list { "--steps" } else { "--row" };
            Err(Failure::new(Exit::Usage, message).with(format!("{other} takes the other")))
        }
    }
}

/// What an account has for a target.
fn value_of(account: &Value, target: &str) -> String {
    let found = match target.strip_prefix("attr:") {
        Some(name) => &account["extra"][name],
        None if target == "active" => &account["status"],
        None => &account[target],
    };
    match found {
        Value::Array(values) => {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            values.join(", ")
        }
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

fn lines<'v>(tried: &'v Value, stage: Option<&'v str>) -> impl Iterator<Item = String> + 'v {
    let lines = tried["lines"].as_array().into_iter().flatten();
    let lines = lines.filter(move |line| stage.is_none_or(|stage| line["stage"] == stage));
    lines.map(|line| format!("  {}", text(line, "text")))
}

fn troubles(tried: &Value) -> Vec<String> {
    let errors = tried["errors"].as_array().into_iter().flatten();
    let mut all: Vec<String> = errors
        .map(|error| match text(error, "target").as_str() {
            NO_TARGET => format!("the value {}", text(error, "message")),
            target => format!("{target} {}", text(error, "message")),
        })
        .collect();
    if let Some(name) = tried["taken_name"].as_str() {
        all.push(format!("the user name {name} {}", whose(tried)));
    }
    all
}

/// What came of one row.
fn of_row(tried: &Value, target: &str, is_stored: bool) -> String {
    let value = match (target, is_stored) {
        ("groups", _) => texts(&tried["groups"]).join(", "),
        ("active", _) => text(tried, "decision"),
        // The typed value stands for everybody; what the name of nobody is taken by is no trouble of the row.
        _ => value_of(&tried["attributes"], target),
    };
    let about = format!("  `{target}` ");
    let lines = lines(tried, Some("mapping")).filter(|line| line.starts_with(&about));
    let mut told: Vec<String> = match target {
        NO_TARGET => lines.map(|line| line.replacen(&about, "  ", 1)).collect(),
        _ => lines.collect(),
    };
    told.extend(
        troubles(tried)
            .into_iter()
            .map(|it| format!("  cannot be used: {it}")),
    );
    let name = if target == NO_TARGET { "value" } else { target };
    told.push(match value.as_str() {
        "" => format!("{name}: none"),
        value => format!("{name}: {value}"),
    });
    // A row may take the account.
    if text(tried, "reason") == "DROPPED_BY_RULE" {
        told.push(format!(
            "decision: {} (DROPPED_BY_RULE)",
            text(tried, "decision")
        ));
    }
    told.join("\n")
}

/// What came of rules.
fn of_rules(tried: &Value) -> String {
    let mut told: Vec<String> = lines(tried, None).collect();
    told.extend(
        troubles(tried)
            .into_iter()
            .map(|it| format!("  cannot be used: {it}")),
    );
    let groups = texts(&tried["groups"]);
    if !groups.is_empty() {
        told.push(format!("groups: {}", groups.join(", ")));
    }
    told.push(format!(
        "decision: {} ({})",
        text(tried, "decision"),
        text(tried, "reason")
    ));
    told.join("\n")
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

/// Tries a row on all stored users: a preview of the rules with it. Who would have trouble comes first.
fn on_everybody(
    door: &Door,
    args: &TryArgs,
    (mut rules, row): (Value, Option<&Value>),
    out: Output,
) -> Result<(), Failure> {
    let Some(row) = row else {
        let message = "on everybody, a row or steps are tried";
        return Err(Failure::new(Exit::Usage, message)
            .with("say --row ROW or --steps STEPS; vestibule rules preview tries whole rules"));
    };
    with_row(&mut rules, row);
    let connector = args.connector.as_str();
    let preview = preview(door, connector, &json!({ "rules": rules }))?;
    let id = text(&preview, "id");
    let path = ["connectors", connector, "rules", "previews", &id, "users"];
    let (mut users, mut seen, mut more) = (Vec::new(), BTreeSet::new(), false);
    for operation in [Some("conflict"), Some("error"), None] {
        let mut query = vec![("limit", LISTED_MAX.to_string())];
        query.extend(operation.map(|word| ("operation", word.to_owned())));
        let mut page: Value = door.get_with(&path, &query)?;
        more |= page["next"].is_string();
        let items = page["items"].as_array_mut().map(std::mem::take);
        let new = items.into_iter().flatten();
        users.extend(new.filter(|user| seen.insert((text(user, "id"), text(user, "user_name")))));
    }
    let summary = &preview["summary"];
    let shown = json!({"summary": summary, "users": users, "more": more});
    out.show(&shown, |_| {
        let target = text(row, "target");
        let mut told = vec![of_everybody(&users, &target)];
        if more {
            told.push("There are more; put the row into a file of rules, and vestibule rules preview --csv lists them all.".to_owned());
        }
        told.push(format!(
            "{} looked at.",
            counted_in(&summary["users"], "user", "users")
        ));
        told.join("\n\n")
    })?;
    match summary["changed"].as_u64().unwrap_or_default() + users.len() as u64 {
        0 => Ok(()),
        _ => Err(Failure::new(
            Exit::Pending,
            "the row would change something; nothing was done",
        )),
    }
}

/// The rules with a row in place of those with its target.
fn with_row(rules: &mut Value, row: &Value) {
    if !rules["mapping"].is_array() {
        rules["mapping"] = json!([]);
    }
    if let Some(rows) = rules["mapping"].as_array_mut() {
        rows.retain(|other| other["target"] != row["target"]);
        rows.push(row.clone());
    }
}

/// What becomes of an account whose status the row changes.
fn becomes(user: &Value) -> Option<String> {
    let status = |side: &Value| side["status"].as_str().unwrap_or("none").to_owned();
    let (before, after) = (status(&user["before"]), status(&user["after"]));
    (before != after).then(|| format!("the account: {before} -> {after}"))
}

fn of_everybody(users: &[Value], target: &str) -> String {
    let rows = users.iter().map(|user| {
        let value = |side: &Value| match target {
            "groups" => texts(&side["groups"]).join(", "),
            _ => value_of(side, target),
        };
        let trouble = match user["taken_name"].as_str() {
            Some(name) => format!("COLLISION: {name} {}", whose(user)),
            None if user["held"].as_array().is_some_and(|held| !held.is_empty()) => {
                "held by a safety limit or by what somebody said".to_owned()
            }
            None => {
                let mut all = troubles(user);
                all.extend(becomes(user).filter(|_| target != "active"));
                all.join("; ")
            }
        };
        [
            text(user, "user_name"),
            value(&user["before"]),
            value(&user["after"]),
            trouble,
        ]
    });
    // Who differs in something else is no matter of this row.
    let rows: Vec<[String; 4]> = rows
        .filter(|[_, old, new, trouble]| old != new || !trouble.is_empty())
        .collect();
    match rows.is_empty() {
        true => "Nobody would get another value.".to_owned(),
        false => table(["user", "old", "new", "trouble"], rows),
    }
}

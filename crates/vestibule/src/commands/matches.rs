//! `vestibule match`: which accounts that exist the users of a connector would find.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::MatchArgs;
use crate::config::Settings;
use crate::door;
use crate::exit::Failure;
use crate::output::{Output, counted_in, quoted, table};

/// A user, and the accounts that it would find.
#[derive(Debug, Serialize, Deserialize)]
struct Match {
    user_id: String,
    user_name: String,
    username: String,
    email: String,
    kind: String,
    accounts: Vec<Account>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Account {
    name: String,
    holder: String,
}

/// `vestibule match`
pub fn run(args: &MatchArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    let mut query: Vec<(&str, String)> = Vec::new();
    query.extend(args.directory.clone().map(|name| ("directory", name)));
    if args.summary {
        let path = ["connectors", &args.connector, "match", "summary"];
        let found: Value = door.get_with(&path, &query)?;
        return out.show(&found, |found| summary(&args.connector, found));
    }
    query.extend(args.kind.clone().map(|kind| ("kind", kind)));
    let path = ["connectors", &args.connector, "match"];
    let all: Vec<Match> = door.all_pages(&path, &query)?;
    out.show(&all, |all| list(all))
}

fn summary(connector: &str, found: &Value) -> String {
    let counts = found["counts"].as_object().into_iter().flatten();
    let counts = counts.map(|(kind, count)| [kind.replace('_', " "), count.to_string()]);
    let rows = found["rows"].as_array().into_iter().flatten().map(|one| {
        [
            in_words(&one["row"]),
            one["found"].to_string(),
            one["nameless"].to_string(),
        ]
    });
    let header = [
        "row for the user name",
        "would find",
        "without a name of their own",
    ];
    let best = match found["best"].is_object() {
        true => format!(
            "The best of these, for `mapping` of the rules (vestibule rules edit {}):\n  {}",
            quoted(connector),
            found["best"]
        ),
        false => "None of these that could be saved would find more than the present rules do."
            .to_owned(),
    };
    format!(
        "{}\n\nBy the present rules {} an account by name.\n\n{}\n\n{best}",
        table(["match", "users"], counts),
        counted_in(&found["by_name"], "user finds", "users find"),
        table(header, rows)
    )
}

/// A row in few words: where the value comes from, and what is done to it.
fn in_words(row: &Value) -> String {
    let word = |value: &Value| match value {
        Value::String(word) => word.clone(),
        other => other.to_string(),
    };
    let source = match &row["source"] {
        Value::Object(source) => source.values().map(word).collect::<Vec<_>>().join(", "),
        other => word(other),
    };
    let steps = row["steps"].as_array().into_iter().flatten().map(word);
    std::iter::once(source)
        .chain(steps)
        .collect::<Vec<_>>()
        .join(", then ")
}

fn list(all: &[Match]) -> String {
    if all.is_empty() {
        return "There is no such user.".to_owned();
    }
    let row = |one: &Match| {
        let names: Vec<&str> = one.accounts.iter().map(|it| it.name.as_str()).collect();
        [
            one.user_name.clone(),
            one.username.clone(),
            one.kind.clone(),
            names.join(", "),
        ]
    };
    table(
        ["user", "name by the rules", "match", "accounts"],
        all.iter().map(row),
    )
}

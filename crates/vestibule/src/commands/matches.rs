//! `vestibule match`: which accounts that exist the users of a connector would find.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::MatchArgs;
use crate::config::Settings;
use crate::door;
use crate::exit::Failure;
use crate::output::{Output, table};

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
        let summary: Value = door.get_with(&path, &query)?;
        return out.json(&summary);
    }
    query.extend(args.kind.clone().map(|kind| ("kind", kind)));
    let path = ["connectors", &args.connector, "match"];
    let all: Vec<Match> = door.all_pages(&path, &query)?;
    out.show(&all, |all| list(all))
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

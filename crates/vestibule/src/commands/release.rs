//! Directories and connectors that let go: `directory create|rename|detach|delete`, `connector delete|move|transfer`.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::jobs::{Begun, told};
use crate::cli::{FateArg, MatchArg, TransferArgs};
use crate::door::{DirectoryView, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, fields, quoted, table};

/// What the deletion of a directory would touch.
#[derive(Serialize, Deserialize)]
struct DirectoryDeletion {
    users: i64,
    groups: i64,
    memberships: i64,
    connectors: Vec<String>,
    applications: Vec<String>,
    applications_left_with_nothing: Vec<String>,
}

/// What it would touch to make everything in a directory local.
#[derive(Serialize, Deserialize)]
struct Detachment {
    active_accounts: i64,
    disabled_accounts: i64,
    groups: i64,
    held_changes: i64,
    connectors: Vec<String>,
    paused_connectors: Vec<String>,
}

/// What letting go of a connector's accounts touches.
#[derive(Serialize, Deserialize)]
struct Release {
    users: i64,
    groups: i64,
    active_accounts: i64,
    disabled_accounts: i64,
    taken_names: i64,
}

/// What a transfer would do.
#[derive(Serialize, Deserialize)]
struct Transfer {
    counts: Map<String, Value>,
    accounts: Vec<TransferItem>,
}

#[derive(Serialize, Deserialize)]
struct TransferItem {
    key: String,
    name: String,
    fit: String,
    active_after: bool,
    name_after: String,
    kept_groups: Vec<String>,
    lost_groups: Vec<String>,
    new_groups: Vec<String>,
}

/// `vestibule directory create`
pub fn create_directory(door: &Door, name: &str, out: Output) -> Result<(), Failure> {
    let made: DirectoryView = door.post(&["directories"], &json!({"name": name}))?;
    out.show(&made, |made| {
        format!("Directory {} ({})", made.name, made.id)
    })
}

/// `vestibule directory rename`
pub fn rename_directory(
    door: &Door,
    directory: &str,
    name: &str,
    out: Output,
) -> Result<(), Failure> {
    let change = json!({"name": name});
    let path = ["directories", directory];
    let one: DirectoryView = door.ask(Method::PATCH, &path, Some(&change))?;
    out.show(&one, |one| {
        format!("The directory is now called {}", one.name)
    })
}

/// `vestibule directory detach`
pub fn detach(
    door: &Door,
    directory: &str,
    (yes, wait): (bool, bool),
    out: Output,
) -> Result<(), Failure> {
    if !yes {
        let effects: Detachment = door.get(&["directories", directory, "detachment"])?;
        return preview(&effects, out, |effects| {
            fields(&[
                (
                    "accounts that become local",
                    &effects.active_accounts.to_string(),
                ),
                ("disabled ones", &effects.disabled_accounts.to_string()),
                ("groups that become local", &effects.groups.to_string()),
                (
                    "held changes that never come",
                    &effects.held_changes.to_string(),
                ),
                ("fed by", &effects.connectors.join(", ")),
                ("paused then", &effects.paused_connectors.join(", ")),
            ])
        });
    }
    let begun: Begun = door.ask(Method::POST, &["directories", directory, "detach"], None)?;
    told(door, begun, wait, out)
}

/// `vestibule directory delete`
pub fn delete_directory(
    door: &Door,
    directory: &str,
    (yes, force, wait): (bool, bool, bool),
    out: Output,
) -> Result<(), Failure> {
    if !yes {
        let effects: DirectoryDeletion = door.get(&["directories", directory, "deletion"])?;
        let shown = |effects: &DirectoryDeletion| {
            fields(&[
                ("users", &effects.users.to_string()),
                ("groups", &effects.groups.to_string()),
                ("memberships", &effects.memberships.to_string()),
                ("fed by", &effects.connectors.join(", ")),
                ("seen by", &effects.applications.join(", ")),
                (
                    "all that is seen by",
                    &effects.applications_left_with_nothing.join(", "),
                ),
            ])
        };
        return match effects.in_the_way(force) {
            None => preview(&effects, out, shown),
            Some(failure) => {
                out.show(&effects, shown)?;
                Err(failure)
            }
        };
    }
    let query = [("force", force.to_string())];
    let path = ["directories", directory];
    let begun: Begun = door.ask_with(Method::DELETE, &path, &query, None)?;
    told(door, begun, wait, out)
}

/// `vestibule connector delete`
pub fn delete_connector(
    door: &Door,
    connector: &str,
    fate: FateArg,
    (yes, wait): (bool, bool),
    out: Output,
) -> Result<(), Failure> {
    if !yes {
        let effects: Release = door.get(&["connectors", connector, "release"])?;
        return preview(&effects, out, |effects| effects.told(fate));
    }
    let query = [("accounts", fate.word().to_owned())];
    let path = ["connectors", connector];
    let begun: Begun = door.ask_with(Method::DELETE, &path, &query, None)?;
    told(door, begun, wait, out)
}

/// `vestibule connector move`
pub fn move_connector(
    door: &Door,
    connector: &str,
    (directory, fate): (&str, FateArg),
    (yes, wait): (bool, bool),
    out: Output,
) -> Result<(), Failure> {
    if !yes {
        let query = [("directory", directory.to_owned())];
        let path = ["connectors", connector, "release"];
        let effects: Release = door.get_with(&path, &query)?;
        return preview(&effects, out, |effects| effects.told(fate));
    }
    let wish = json!({"directory": directory, "accounts": fate.word()});
    let begun: Begun = door.post(&["connectors", connector, "move"], &wish)?;
    told(door, begun, wait, out)
}

/// `vestibule connector transfer`
pub fn transfer(door: &Door, args: &TransferArgs, out: Output) -> Result<(), Failure> {
    let match_by = match args.match_by {
        MatchArg::Username => "user_name",
        MatchArg::Email => "email",
        MatchArg::ExternalId => "external_id",
    };
    let wish = json!({
        "to": args.to,
        "match_by": match_by,
        "filter": args.filter,
        "keep_memberships": !args.drop_memberships,
    });
    let connector = args.connector.as_str();
    if !args.yes {
        let effects: Transfer =
            door.post(&["connectors", connector, "transfer", "preview"], &wish)?;
        return preview(&effects, out, Transfer::told);
    }
    let begun: Begun = door.post(&["connectors", connector, "transfer"], &wish)?;
    told(door, begun, args.wait, out)
}

/// Shows what would be done, and that it is not done.
fn preview<T: Serialize>(
    effects: &T,
    out: Output,
    person: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    out.show(effects, person)?;
    let message = "nothing was done: this is what it would touch";
    Err(Failure::new(Exit::Pending, message).with("say --yes to do it"))
}

impl DirectoryDeletion {
    /// What a deletion would be refused for.
    fn in_the_way(&self, force: bool) -> Option<Failure> {
        let refused = |message: String, remedy: String| {
            Some(Failure::new(Exit::Conflict, message).with(remedy))
        };
        if let Some(connector) = self.connectors.first() {
            let connector = quoted(connector);
            return refused(
                format!(
                    "it cannot be deleted while it is fed by {}",
                    self.connectors.join(", ")
                ),
                format!(
                    "vestibule connector move {connector} DIRECTORY, or vestibule connector delete {connector}"
                ),
            );
        }
        if let Some(application) = self.applications_left_with_nothing.first() {
            let alone = self.applications_left_with_nothing.join(", ");
            return refused(
                format!("it cannot be deleted while it is all that {alone} see"),
                format!(
                    "vestibule application set {} --directory ANOTHER, or delete it",
                    quoted(application)
                ),
            );
        }
        if !force && !self.applications.is_empty() {
            return refused(
                format!("it is seen by {}", self.applications.join(", ")),
                "say --force to take it away from them, and --yes to do it".to_owned(),
            );
        }
        None
    }
}

impl Release {
    fn told(&self, fate: FateArg) -> String {
        let taken = match self.taken_names {
            0 => String::new(),
            taken => taken.to_string(),
        };
        fields(&[
            ("users in its source", &self.users.to_string()),
            ("groups in its source", &self.groups.to_string()),
            ("active accounts", &self.active_accounts.to_string()),
            ("disabled accounts", &self.disabled_accounts.to_string()),
            ("accounts are", fate.outcome()),
            ("names taken there", &taken),
        ])
    }
}

impl Transfer {
    fn told(&self) -> String {
        let counts: Vec<String> = self
            .counts
            .iter()
            .map(|(fit, count)| format!("{fit} {count}"))
            .collect();
        let rows = self.accounts.iter().map(|one| {
            let active = if one.active_after { "" } else { "disabled" };
            let after = match one.name == one.name_after {
                true => active.to_owned(),
                false => format!("{} {active}", one.name_after),
            };
            [
                one.name.clone(),
                one.fit.clone(),
                after,
                one.kept_groups.join(", "),
                one.lost_groups.join(", "),
                one.new_groups.join(", "),
            ]
        });
        let header = ["user", "fit", "after", "keeps", "leaves", "joins"];
        format!("{}\n\n{}", counts.join(", "), table(header, rows))
    }
}

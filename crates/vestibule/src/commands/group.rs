//! `vestibule group`: the groups that an identity provider has written, and what becomes of them.

use serde_json::json;

use crate::cli::{GroupArgs, GroupCommand};
use crate::config::Settings;
use crate::door::{self, ConnectorGroupView};
use crate::exit::Failure;
use crate::output::{Output, counted, table};

/// Does what was asked.
pub fn run(args: &GroupArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        GroupCommand::List { connector, state } => {
            let state = state.map(|state| ("state", state.as_str().to_owned()));
            let query: Vec<_> = state.into_iter().collect();
            let path = ["connectors", connector, "groups"];
            let groups: Vec<ConnectorGroupView> = door.all_pages(&path, &query)?;
            out.show(&groups, |all| list(all))
        }
        GroupCommand::Decide {
            connector,
            group,
            choice,
            name,
        } => {
            let mut body = json!({"choice": choice.as_str()});
            if let Some(name) = name {
                body["name"] = json!(name);
            }
            let path = ["connectors", connector, "groups", group, "decision"];
            let decided: ConnectorGroupView = door.post(&path, &body)?;
            out.show(&decided, |one| format!("{} is {}", one.name, told(one)))
        }
    }
}

fn list(groups: &[ConnectorGroupView]) -> String {
    let rows = groups.iter().map(|one| {
        [
            one.id.clone(),
            one.name.clone(),
            one.members.to_string(),
            told(one),
        ]
    });
    table(["id", "name", "members", "what becomes of it"], rows)
}

fn told(group: &ConnectorGroupView) -> String {
    let names = group.groups.join(", ");
    let mut told = match (group.state.as_str(), &group.existing) {
        ("assigned", _) => format!("assigned as {names}"),
        ("waiting", Some(there)) => format!(
            "waiting: {} has {}; adopt adds {} and removes {}, merge removes nobody",
            there.name,
            counted(there.members, "member", "members"),
            there.would_add,
            there.would_remove
        ),
        ("waiting", None) => format!("waiting for {names}"),
        ("protected", _) => format!(
            "protected by {}: its members are refused",
            group.protected_by.as_deref().unwrap_or_default()
        ),
        ("left_out", _) => match &group.name_fault {
            Some(fault) => format!("left out: what the rules make of its name {fault}"),
            None => "left out by the rules".to_owned(),
        },
        (other, _) => other.to_owned(),
    };
    if let Some(name) = &group.pinned_name {
        told.push_str(&format!("; renamed, goes on as {name}"));
    }
    if let Some(alias) = &group.alias {
        told.push_str(&format!(
            "; renamed, is {} too until {}",
            alias.name, alias.until
        ));
    }
    told
}

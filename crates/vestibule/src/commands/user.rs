//! `vestibule user`: see one user, and take or give back the log-in.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::look::{chosen, found, nobody};
use super::past::OverrideView;
use super::people::{Origin, origins};
use crate::cli::{SessionOf, UserArgs, UserCommand};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, moment};

/// A user, as far as these commands tell.
#[derive(Serialize, Deserialize)]
struct UserView {
    key: String,
    name: String,
    display_name: String,
    email: String,
    status: String,
    reason: String,
    connector: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_login: Option<Timestamp>,
    #[serde(default)]
    memberships: Vec<Membership>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    overrides: Vec<OverrideView>,
}

/// A group of somebody, and why.
#[derive(Serialize, Deserialize)]
struct Membership {
    group: String,
    origins: Vec<Origin>,
}

/// `vestibule user`
pub fn user(args: &UserArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        UserCommand::Show(of) => {
            let (_, user) = find(&door, of)?;
            out.show(&user, told)
        }
        UserCommand::Disable { of, until } => {
            let wish = until.map(|until| json!({"until": until}));
            decide(&door, of, ("disable", wish), out)
        }
        UserCommand::Enable(of) => decide(&door, of, ("enable", None), out),
        UserCommand::Unlink(of) => decide(&door, of, ("unlink", None), out),
    }
}

fn decide(
    door: &Door,
    of: &SessionOf,
    (what, wish): (&str, Option<Value>),
    out: Output,
) -> Result<(), Failure> {
    let (directory, user) = find(door, of)?;
    let path = ["directories", &directory, "users", &user.key, what];
    let user: UserView = door.ask(Method::POST, &path, wish.as_ref())?;
    out.show(&user, |user| {
        format!("{} is {} ({}).", user.name, user.status, user.reason)
    })
}

/// The directory that has the user, and the user.
fn find(door: &Door, of: &SessionOf) -> Result<(String, UserView), Failure> {
    let mut places = Vec::new();
    for one in chosen(door, of.directory.as_deref())? {
        let path = ["directories", &one.name, "users", &of.user];
        if let Some(user) = found(door.get(&path))? {
            places.push((one.name, user));
        }
    }
    if places.len() > 1 {
        let names: Vec<&str> = places.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(", ");
        let message = format!("several directories have a user '{}': {names}", of.user);
        return Err(Failure::new(Exit::Usage, message).with("name one with --directory"));
    }
    places.pop().ok_or_else(|| nobody(&of.user))
}

/// A user with groups and overrides.
fn told(user: &UserView) -> String {
    let connector = user.connector.as_deref().unwrap_or("none: kept here");
    let login = user.last_login.map_or("never seen".to_owned(), moment);
    let mut told = format!(
        "{} ({})\n  status: {} ({})\n  e-mail: {}\n  connector: {connector}\n  last log-in: {login}\n  key: {}",
        user.name, user.display_name, user.status, user.reason, user.email, user.key
    );
    let groups = user.memberships.iter();
    for (index, one) in groups.enumerate() {
        let label = if index == 0 { "groups:" } else { "       " };
        let line = format!("\n  {label} {} ({})", one.group, origins(&one.origins));
        told.push_str(&line);
    }
    if user.memberships.is_empty() {
        told.push_str("\n  groups: none");
    }
    for one in &user.overrides {
        told.push_str(&format!("\n  override: {}", one.told()));
    }
    told
}

//! `vestibule admin`: administrators of the console.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::{AdminArgs, AdminCommand, RoleArg};
use crate::commands::open_id;
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::Failure;
use crate::output::{Output, moment, table};

#[derive(Debug, Serialize, Deserialize)]
struct Administrator {
    id: String,
    name: String,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connectors: Option<Vec<String>>,
    created: Timestamp,
    last_sign_in: Option<Timestamp>,
    second_factor: Option<Timestamp>,
}

/// A session of the console.
#[derive(Debug, Serialize, Deserialize)]
struct Session {
    id: String,
    waits_for_second_factor: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    created: Timestamp,
    last_used: Timestamp,
    expires: Timestamp,
    ends: Timestamp,
}

#[derive(Deserialize)]
struct Ended {
    ended: u64,
}

#[derive(Serialize, Deserialize)]
struct SignIn {
    require_second_factor: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Invitation {
    id: String,
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connectors: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    administrator: Option<String>,
    created_by: String,
    created: Timestamp,
    expires: Timestamp,
}

/// Who there is, and who may come.
#[derive(Serialize)]
struct All {
    administrators: Vec<Administrator>,
    invitations: Vec<Invitation>,
}

#[derive(Serialize, Deserialize)]
struct Link {
    id: String,
    link: String,
    expires: Timestamp,
}

/// `vestibule admin`
pub fn run(args: &AdminArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        AdminCommand::List => out.show(&all(&door)?, told),
        AdminCommand::Invite { role, within } => {
            let wish = rights(*role, within);
            let link: Link = door.post(&["invitations"], &wish)?;
            out.show(&link, linked)
        }
        AdminCommand::Reset { administrator } => {
            let path = ["administrators", administrator, "reset"];
            let link: Link = door.ask(Method::POST, &path, None)?;
            out.show(&link, linked)
        }
        AdminCommand::Role {
            administrator,
            role,
            within,
        } => {
            let wish = rights(*role, within);
            let path = ["administrators", administrator];
            let changed: Administrator = door.ask(Method::PATCH, &path, Some(&wish))?;
            out.show(&changed, |one| format!("{} is {} now.", one.name, one.role))
        }
        AdminCommand::ResetSecondFactor { administrator } => {
            let path = ["administrators", administrator, "second-factor"];
            door.send(Method::DELETE, &path, None)?;
            out.show(&json!({ "reset": administrator }), |_| {
                format!("{administrator} has no second factor any more, and is signed out.")
            })
        }
        AdminCommand::Sessions { administrator } => {
            let all: Vec<Session> = door.list(&["administrators", administrator, "sessions"])?;
            out.show(&all, |all| sessions(administrator, all))
        }
        AdminCommand::EndSessions {
            administrator,
            session,
        } => end_sessions(&door, administrator, session.as_deref(), out),
        AdminCommand::SignIn {
            require_second_factor,
        } => {
            let rules: SignIn = match require_second_factor {
                None => door.ask(Method::GET, &["sign-in"], None)?,
                Some(require) => {
                    let wish = json!({ "require_second_factor": require });
                    door.ask(Method::PATCH, &["sign-in"], Some(&wish))?
                }
            };
            out.show(&rules, |rules| match rules.require_second_factor {
                true => "Everybody needs a second factor.".to_owned(),
                false => "Everybody decides whether to have a second factor.".to_owned(),
            })
        }
        AdminCommand::Openid { command } => open_id::run(&door, command.as_ref(), out),
        AdminCommand::Delete { administrator } => {
            door.send(Method::DELETE, &["administrators", administrator], None)?;
            out.show(&json!({ "deleted": administrator }), |_| {
                format!("{administrator} is deleted.")
            })
        }
    }
}

fn end_sessions(
    door: &Door,
    administrator: &str,
    session: Option<&str>,
    out: Output,
) -> Result<(), Failure> {
    let path = ["administrators", administrator, "sessions"];
    let Ended { ended } = match session {
        None => door.ask(Method::DELETE, &path, None)?,
        Some(id) => {
            door.send(Method::DELETE, &[path[0], path[1], path[2], id], None)?;
            Ended { ended: 1 }
        }
    };
    out.show(&json!({ "ended": ended }), |_| match ended {
        1 => "One session is ended.".to_owned(),
        count => format!("{count} sessions are ended."),
    })
}

fn sessions(administrator: &str, all: &[Session]) -> String {
    if all.is_empty() {
        return format!("{administrator} is signed in nowhere.");
    }
    let rows = all.iter().map(|one| {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        [
            one.id.clone(),
            text(&one.address),
            moment(one.created),
            moment(one.last_used),
            text(&one.user_agent),
        ]
    });
    table(["id", "from", "began", "last used", "browser"], rows)
}

fn all(door: &Door) -> Result<All, Failure> {
    Ok(All {
        administrators: door.list(&["administrators"])?,
        invitations: door.list(&["invitations"])?,
    })
}

/// What somebody may do, as the admin API takes it.
pub fn rights(role: RoleArg, within: &[String]) -> Value {
    match within.is_empty() {
        true => json!({ "role": role.as_str() }),
        false => json!({ "role": role.as_str(), "connectors": within }),
    }
}

/// The same, as it shows it.
pub fn shown_rights(role: &str, within: Option<&Vec<String>>) -> String {
    match within {
        Some(names) => format!("{role} of {}", names.join(", ")),
        None => role.to_owned(),
    }
}

fn linked(link: &Link) -> String {
    format!(
        "{}\n\nThe link is shown this once, and good once, until {}.",
        link.link,
        moment(link.expires)
    )
}

fn told(all: &All) -> String {
    let mut rows: Vec<[String; 4]> = Vec::new();
    for one in &all.administrators {
        let seen = one.last_sign_in.map_or_else(|| "never".to_owned(), moment);
        let factor = match one.second_factor {
            Some(_) => "yes",
            None => "no",
        };
        let role = shown_rights(&one.role, one.connectors.as_ref());
        rows.push([one.name.clone(), role, factor.to_owned(), seen]);
    }
    for one in &all.invitations {
        let whom = one.administrator.as_deref().unwrap_or("somebody new");
        let until = format!("invited, until {}", moment(one.expires));
        let role = shown_rights(&one.role, one.connectors.as_ref());
        rows.push([whom.to_owned(), role, String::new(), until]);
    }
    if rows.is_empty() {
        return "Nobody administers this server yet. Make a link: vestibule admin invite"
            .to_owned();
    }
    table(["name", "role", "second factor", "last signed in"], rows)
}

//! `vestibule directory`, `why` and `session`: what products see of people, and why.

use serde::Serialize;

use super::{people, precedence, release};
use crate::cli::{
    DirectoryArgs, DirectoryCommand, SessionArgs, SessionCommand, SessionOf, WhyArgs,
};
use crate::config::Settings;
use crate::door::{self, About, DirectoryView, Door, SessionView, WhyView};
use crate::exit::{Exit, Failure};
use crate::output::{Output, moment, table};

/// `vestibule directory`
pub fn directory(args: &DirectoryArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        DirectoryCommand::List => out.show(&door.directories()?, |all| directories(all)),
        DirectoryCommand::Users {
            directory,
            active,
            search,
            page,
        } => people::users(&door, directory, (*active, search.as_deref()), page, out),
        DirectoryCommand::Groups {
            directory,
            search,
            page,
        } => people::groups(&door, (directory, search.as_deref()), page, out),
        DirectoryCommand::Members {
            directory,
            group,
            page,
        } => people::members(&door, (directory, group), page, out),
        DirectoryCommand::Create { name } => release::create_directory(&door, name, out),
        DirectoryCommand::Rename { directory, name } => {
            release::rename_directory(&door, directory, name, out)
        }
        DirectoryCommand::Precedence {
            directory,
            order,
            targets,
            off,
            yes,
        } => {
            let wish = precedence::Wish {
                order,
                targets,
                off: *off,
                yes: *yes,
            };
            precedence::precedence(&door, directory, &wish, out)
        }
        DirectoryCommand::Detach {
            directory,
            yes,
            wait,
        } => release::detach(&door, directory, (*yes, *wait), out),
        DirectoryCommand::Delete {
            directory,
            force,
            yes,
            wait,
        } => release::delete_directory(&door, directory, (*yes, *force, *wait), out),
    }
}

/// An explanation, and where it holds.
#[derive(Serialize)]
struct Told {
    /// The directory that has the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
    /// The connector that knows somebody who is in no directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<String>,
    #[serde(flatten)]
    why: WhyView,
}

/// `vestibule why`
pub fn why(args: &WhyArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    let about = About {
        group: args.group.as_deref(),
        attribute: args.attribute.as_deref(),
    };
    let all = match &args.connector {
        Some(connector) => {
            let told = known_at(&door, connector, (&args.user, about), None)?;
            told.into_iter().collect()
        }
        None => known_in(&door, args, about)?,
    };
    if all.is_empty() {
        return Err(nobody(&args.user));
    }
    out.show(&all, |all| {
        let parts = all.iter().map(|one| {
            let place = match (&one.directory, &one.connector) {
                (Some(name), _) => format!("in the directory {name}"),
                (None, Some(name)) => format!("at the identity provider of the connector {name}"),
                (None, None) => String::new(),
            };
            format!("{} {place}:\n{}", args.user, one.why.told())
        });
        parts.collect::<Vec<_>>().join("\n\n")
    })
}

/// Everybody of this name: who has an account of that name, and whom an identity provider calls so without it being
/// theirs.
fn known_in(door: &Door, args: &WhyArgs, about: About<'_>) -> Result<Vec<Told>, Failure> {
    let mut all = Vec::new();
    for one in &chosen(door, args.directory.as_deref())? {
        let why = found(door.why(&one.name, &args.user, about))?;
        let account = why.as_ref().and_then(|why| why.account.clone());
        all.extend(why.map(|why| Told {
            directory: Some(one.name.clone()),
            connector: None,
            why,
        }));
        for connector in &one.connectors {
            let asked = (args.user.as_str(), about);
            all.extend(known_at(door, connector, asked, account.as_deref())?);
        }
    }
    Ok(all)
}

/// Whom a connector calls so, unless that is whose account this is.
fn known_at(
    door: &Door,
    connector: &str,
    (user, about): (&str, About<'_>),
    account: Option<&str>,
) -> Result<Option<Told>, Failure> {
    let why = found(door.why_at(connector, user, about))?;
    let why = why.filter(|why| account.is_none() || why.account.as_deref() != account);
    Ok(why.map(|why| Told {
        directory: None,
        connector: Some(connector.to_owned()),
        why,
    }))
}

/// `vestibule session`
pub fn session(args: &SessionArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        SessionCommand::List(of) => {
            let (_, sessions) = of_user(&door, of)?;
            out.show(&sessions, |all| list(all))
        }
        SessionCommand::End(of) => {
            let (directory, _) = of_user(&door, of)?;
            out.show(&door.end_sessions(&directory, &of.user)?, |one| {
                match one.ended {
                    1 => "1 session is ended.".to_owned(),
                    count => format!("{count} sessions are ended."),
                }
            })
        }
    }
}

/// The directory that has the user, and the user's sessions.
fn of_user(door: &Door, of: &SessionOf) -> Result<(String, Vec<SessionView>), Failure> {
    let mut places = Vec::new();
    for one in chosen(door, of.directory.as_deref())? {
        if let Some(sessions) = found(door.sessions(&one.name, &of.user))? {
            places.push((one.name, sessions));
        }
    }
    let names: Vec<&str> = places.iter().map(|(name, _)| name.as_str()).collect();
    match names.len() {
        2.. => {
            let message = format!(
                "several directories have a user '{}': {}",
                of.user,
                names.join(", ")
            );
            Err(Failure::new(Exit::Usage, message).with("name one with --directory"))
        }
        _ => places.pop().ok_or_else(|| nobody(&of.user)),
    }
}

/// The directory that was named, or all.
pub(super) fn chosen(door: &Door, named: Option<&str>) -> Result<Vec<DirectoryView>, Failure> {
    let mut all = door.directories()?;
    if let Some(named) = named {
        all.retain(|one| one.id == named || one.name.to_lowercase() == named.to_lowercase());
        if all.is_empty() {
            let message = format!("there is no directory '{named}'");
            return Err(Failure::new(Exit::NotFound, message)
                .with("vestibule directory list shows their names"));
        }
    }
    Ok(all)
}

/// Nothing, instead of a failure, for what is not there.
pub(super) fn found<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.exit == Exit::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

pub(super) fn nobody(user: &str) -> Failure {
    let message = format!("there is no user '{user}'");
    Failure::new(Exit::NotFound, message).with(
        "vestibule requests list --name shows what identity providers wrote about somebody of this userName",
    )
}

fn directories(all: &[DirectoryView]) -> String {
    let rows = all.iter().map(|one| {
        let may = if one.local_users { "yes" } else { "no" };
        [
            one.name.clone(),
            one.connectors.join(", "),
            one.active_users.to_string(),
            one.disabled_users.to_string(),
            one.users_without_connector.to_string(),
            one.groups.to_string(),
            may.to_owned(),
        ]
    });
    table(
        [
            "name",
            "connectors",
            "active users",
            "disabled users",
            "of no connector",
            "groups",
            "products make users",
        ],
        rows,
    )
}

fn list(all: &[SessionView]) -> String {
    if all.is_empty() {
        return "There is no session.".to_owned();
    }
    let rows = all.iter().map(|one| {
        let factors = one.factors.iter();
        let factors = factors.map(|factor| format!("{}={}", factor.name, factor.value));
        [
            one.application.clone(),
            moment(one.created),
            moment(one.expires),
            moment(one.ends),
            factors.collect::<Vec<_>>().join(", "),
        ]
    });
    table(
        ["begun by", "begun", "ends unused", "ends", "bound to"],
        rows,
    )
}

//! `vestibule application`: the products that attach directories.

use serde_json::json;
use store::Access;

use crate::cli::{AccessArg, ApplicationArgs, ApplicationCommand, SightArgs};
use crate::config::Settings;
use crate::door::{
    self, ApplicationEdit, ApplicationView, ApplicationWish, AttachedView, NewApplication,
    SightWish,
};
use crate::exit::{Exit, Failure};
use crate::output::{Output, fields, moment, table};

/// Does what was asked.
pub fn run(args: &ApplicationArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        ApplicationCommand::Create {
            name,
            access,
            from,
            sight,
        } => {
            if sight.directories.is_empty() && !sight.login_groups.is_empty() {
                let message = "--login-group needs the directory whose users it is about";
                return Err(Failure::new(Exit::Usage, message).with("name it with --directory"));
            }
            let wish = ApplicationWish {
                name: name.clone(),
                access: access_of(*access),
                addresses: from.clone(),
                sight: sight_of(sight),
            };
            out.show(&door.create_application(&wish)?, created)
        }
        ApplicationCommand::Update {
            application,
            name,
            access,
            from,
            from_anywhere,
            sight,
        } => {
            let edit = ApplicationEdit {
                name: name.clone(),
                access: access.map(access_of),
                addresses: (*from_anywhere || !from.is_empty()).then(|| from.clone()),
                sight: sight_of(sight),
            };
            out.show(&door.change_application(application, &edit)?, changed)
        }
        ApplicationCommand::List => out.show(&door.applications()?, |all| list(all)),
        ApplicationCommand::Show { application } => {
            out.show(&door.application(application)?, changed)
        }
        ApplicationCommand::ResetPassword { application } => {
            out.show(&door.reset_password(application)?, |made| {
                format!(
                    "The new password of {}, shown this once; the old one does not work any more:\n\n{}",
                    made.application.name, made.password
                )
            })
        }
        ApplicationCommand::Delete { application } => {
            door.delete_application(application)?;
            out.show(&json!({ "deleted": application }), |_deleted| {
                format!("{application} is deleted")
            })
        }
    }
}

fn access_of(word: AccessArg) -> Access {
    match word {
        AccessArg::ReadOnly => Access::ReadOnly,
        AccessArg::ReadWrite => Access::ReadWrite,
    }
}

fn sight_of(args: &SightArgs) -> SightWish {
    let given = |values: &Vec<String>| (!values.is_empty()).then(|| values.clone());
    SightWish {
        directories: given(&args.directories),
        login_groups: match args.everybody {
            true => Some(Vec::new()),
            false => given(&args.login_groups),
        },
        aggregate_memberships: args.aggregate_memberships,
        only_with_access: args.only_with_access,
        only_groups_with_access: args.only_groups_with_access,
    }
}

fn changed(one: &ApplicationView) -> String {
    let groups = |groups: &Option<Vec<String>>| match groups {
        Some(groups) => format!("members of {}", groups.join(", ")),
        None => "everybody".to_owned(),
    };
    let seen = one.directories.iter().map(|attached| {
        let who = groups(&attached.login_groups);
        format!(
            "  {}: {who} may log in{}",
            attached.directory,
            wrong(attached)
        )
    });
    let seen: Vec<String> = seen.collect();
    let memberships = match one.aggregate_memberships {
        true => "of every directory",
        false => "of the directory a user is from",
    };
    let from = match one.addresses.is_empty() {
        true => "anywhere".to_owned(),
        false => one.addresses.join(", "),
    };
    format!(
        "Application {} ({}) sees these directories, the first one wins:\n{}\nmemberships {memberships}{}\ncomes from {from}",
        one.name,
        one.access,
        seen.join("\n"),
        match (one.only_with_access, one.only_groups_with_access) {
            (true, true) => "; only users who may log in and groups that let them are seen",
            (true, false) => "; only users who may log in are seen",
            (false, _) => "",
        }
    )
}

/// What is wrong with the login groups of a directory.
fn wrong(attached: &AttachedView) -> String {
    let missing = match attached.missing_login_groups.as_slice() {
        [] => String::new(),
        missing => format!("; there is no group {}", missing.join(", ")),
    };
    let nobody = match attached.lets_nobody_in {
        true => "; nobody is in them",
        false => "",
    };
    format!("{missing}{nobody}")
}

fn directories(one: &ApplicationView) -> String {
    let names: Vec<&str> = one
        .directories
        .iter()
        .map(|attached| attached.directory.as_str())
        .collect();
    names.join(", ")
}

fn created(made: &NewApplication) -> String {
    let one = &made.application;
    let lines = fields(&[
        ("server URL", &one.url),
        ("application name", &one.name),
        ("application password", &made.password),
    ]);
    format!(
        "Application {} ({}). In the product add a directory of the type \"Atlassian Crowd\" with these; \
         the password is shown this once:\n\n{lines}",
        one.name, one.access
    )
}

fn list(all: &[ApplicationView]) -> String {
    if all.is_empty() {
        return "There is no application yet:\n  vestibule application create --name NAME"
            .to_owned();
    }
    let rows = all.iter().map(|one| {
        let seen = one.last_seen.map_or_else(|| "never".to_owned(), moment);
        [
            one.name.clone(),
            one.access.clone(),
            directories(one),
            seen,
            one.url.clone(),
        ]
    });
    table(
        ["name", "access", "directories", "last seen", "server url"],
        rows,
    )
}

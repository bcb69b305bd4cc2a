//! `vestibule application`: the products that attach a directory.

use store::Access;

use crate::cli::{AccessArg, ApplicationArgs, ApplicationCommand};
use crate::config::Settings;
use crate::door::{self, ApplicationView, ApplicationWish, NewApplication};
use crate::exit::Failure;
use crate::output::{Output, fields, moment, table};

/// Does what was asked.
pub fn run(args: &ApplicationArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        ApplicationCommand::Create {
            name,
            access,
            directory,
        } => {
            let wish = ApplicationWish {
                name: name.clone(),
                access: match access {
                    AccessArg::ReadOnly => Access::ReadOnly,
                    AccessArg::ReadWrite => Access::ReadWrite,
                },
                directory: directory.clone(),
            };
            out.show(&door.create_application(&wish)?, created)
        }
        ApplicationCommand::List => out.show(&door.applications()?, |all| list(all)),
    }
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
            one.directory.clone(),
            seen,
            one.url.clone(),
        ]
    });
    table(
        ["name", "access", "directory", "last seen", "server url"],
        rows,
    )
}

//! `vestibule token`: who may use the admin API, and who may write to a connector.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::{Access, Grant};

use crate::cli::{GrantArgs, TokenArgs, TokenCommand};
use crate::commands::admin::{rights, shown_rights};
use crate::config::Settings;
use crate::door::{self, NewToken, TokenView};
use crate::exit::{Exit, Failure};
use crate::output::{Output, fields, moment, table};

/// Does what was asked.
pub fn run(args: &TokenArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    require_role(&args.command)?;
    let door = door::open(&args.door, settings)?;
    match &args.command {
        TokenCommand::Create {
            label,
            connector,
            role,
            within,
            grant: wish,
        } => {
            let rights = role.map(|role| rights(role, within));
            let made = door.create_token(connector.as_deref(), &grant(label, wish), rights)?;
            out.show(&made, |made| created(made, connector.as_deref()))
        }
        TokenCommand::List { connector } => {
            out.show(&door.tokens(connector.as_deref())?, |all| tokens(all))
        }
        TokenCommand::Revoke { id, connector } => {
            door.revoke_token(connector.as_deref(), id)?;
            out.show(&json!({ "revoked": id }), |_revoked| {
                format!("{id} is revoked")
            })
        }
    }
}

/// A token of the admin API is no owner's by having forgotten to say what it is for.
fn require_role(command: &TokenCommand) -> Result<(), Failure> {
    let TokenCommand::Create {
        connector: None,
        role: None,
        grant: GrantArgs {
            read_only: false, ..
        },
        ..
    } = command
    else {
        return Ok(());
    };
    let failure = Failure::new(Exit::Usage, "nothing says what the token may do");
    Err(failure
        .with("add --role auditor (read), --role operator or --role owner (everything); or --connector for the token of a connector"))
}

/// What a credential is to be made with.
pub fn grant(label: &str, wish: &GrantArgs) -> Grant {
    Grant {
        label: label.to_owned(),
        access: match wish.read_only {
            true => Access::ReadOnly,
            false => Access::ReadWrite,
        },
        rights: None,
        addresses: wish.from.clone(),
        expires: ending(wish.days),
    }
}

/// The end of what lives so many days.
pub fn ending(days: Option<u32>) -> Option<Timestamp> {
    days.map(|days| Timestamp::now() + SignedDuration::from_hours(24 * i64::from(days)))
}

fn created(made: &NewToken, connector: Option<&str>) -> String {
    let lines = fields(&[("id", &made.view.id), ("token", &made.token)]);
    let whose = match connector {
        Some(connector) => format!("connector {connector}"),
        None => "the admin API".to_owned(),
    };
    format!("A token of {whose}, shown this once:\n\n{lines}")
}

/// A table of tokens.
pub fn tokens(all: &[TokenView]) -> String {
    let optional = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), moment);
    let rows = all.iter().map(|token| {
        let from = match token.addresses.is_empty() {
            true => "anywhere".to_owned(),
            false => token.addresses.join(", "),
        };
        [
            token.id.clone(),
            token.label.clone(),
            match &token.role {
                Some(role) => shown_rights(role, token.connectors.as_ref()),
                None => token.access.clone(),
            },
            from,
            moment(token.created),
            optional(token.expires),
            optional(token.last_used),
        ]
    });
    table(
        ["token", "for", "may", "from", "made", "ends", "last used"],
        rows,
    )
}

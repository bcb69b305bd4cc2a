//! `vestibule token`: who may use the admin API.

use jiff::Timestamp;
use serde_json::json;

use crate::cli::{TokenArgs, TokenCommand};
use crate::config::Settings;
use crate::door::{self, NewToken, TokenView};
use crate::exit::Failure;
use crate::output::{Output, fields, moment, table};

/// Does what was asked.
pub fn run(args: &TokenArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        TokenCommand::Create { label } => out.show(&door.create_token(label)?, created),
        TokenCommand::List => out.show(&door.tokens()?, |all| tokens(all)),
        TokenCommand::Revoke { id } => {
            door.revoke_token(id)?;
            out.show(&json!({ "revoked": id }), |_revoked| {
                format!("{id} is revoked")
            })
        }
    }
}

fn created(made: &NewToken) -> String {
    let lines = fields(&[("id", &made.view.id), ("token", &made.token)]);
    format!("A token of the admin API, shown this once:\n\n{lines}")
}

/// A table of tokens.
pub fn tokens(all: &[TokenView]) -> String {
    let optional = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), moment);
    let rows = all.iter().map(|token| {
        [
            token.id.clone(),
            token.label.clone(),
            moment(token.created),
            optional(token.expires),
            optional(token.last_used),
        ]
    });
    table(["token", "for", "made", "ends", "last used"], rows)
}

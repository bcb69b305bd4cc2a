//! `vestibule client`: who gets access tokens for an id and a secret.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::token::{ending, grant};
use crate::cli::{ClientArgs, ClientCommand};
use crate::config::Settings;
use crate::door::{self, ClientView, NewClientSecret};
use crate::exit::Failure;
use crate::output::{Output, fields, moment, table};

/// Does what was asked.
pub fn run(args: &ClientArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        ClientCommand::Create {
            connector,
            label,
            grant: wish,
        } => {
            let made = door.create_client(connector, &grant(label, wish))?;
            out.show(&made, created)
        }
        ClientCommand::List { connector } => out.show(&door.clients(connector)?, |all| list(all)),
        ClientCommand::Rotate {
            id,
            connector,
            overlap,
            days,
        } => {
            let overlap = SignedDuration::from_mins(i64::from(*overlap));
            let made = door.rotate_client_secret(connector, id, ending(*days), overlap)?;
            out.show(&made, created)
        }
        ClientCommand::RevokeSecret {
            id,
            secret,
            connector,
        } => {
            door.revoke_client_secret(connector, id, secret)?;
            out.show(&json!({ "revoked": secret }), |_revoked| {
                format!("{secret} is revoked")
            })
        }
        ClientCommand::Delete { id, connector } => {
            door.delete_client(connector, id)?;
            out.show(&json!({ "deleted": id }), |_deleted| {
                format!("{id} is deleted")
            })
        }
    }
}

fn created(made: &NewClientSecret) -> String {
    let ends = made.expires.map_or_else(|| "never".to_owned(), moment);
    let lines = fields(&[
        ("client id", &made.client_id),
        ("client secret", &made.client_secret),
        ("token URL", &made.token_url),
        ("base URL", &made.base_url),
        ("ends", &ends),
    ]);
    format!("Paste these into the identity provider; the secret is shown this once:\n\n{lines}")
}

fn list(all: &[ClientView]) -> String {
    let optional = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), moment);
    let rows = all.iter().map(|client| {
        let secrets = client.secrets.iter().map(|secret| {
            let ends = optional(secret.expires);
            format!("{} (ends: {ends})", secret.id)
        });
        [
            client.id.clone(),
            client.label.clone(),
            client.access.clone(),
            optional(client.last_used),
            secrets.collect::<Vec<_>>().join("\n"),
        ]
    });
    table(["client", "for", "access", "last used", "secrets"], rows)
}

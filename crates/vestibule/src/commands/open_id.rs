//! `vestibule admin openid`: the company's own OpenID provider, at which administrators sign in.

use std::io::Read;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::cli::OpenIdCommand;
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::output::{Output, fields};

/// Where it is set.
const PLACE: [&str; 2] = ["sign-in", "openid"];

/// Does what was asked.
pub fn run(door: &Door, command: Option<&OpenIdCommand>, out: Output) -> Result<(), Failure> {
    match command {
        None => out.show(&door.get::<Value>(&PLACE)?, told),
        Some(command @ OpenIdCommand::Set { .. }) => {
            let set: Value = door.ask(Method::PUT, &PLACE, Some(&wish(command)?))?;
            out.show(&set, told)
        }
        Some(OpenIdCommand::Check) => {
            let path = [&PLACE[..], &["check"]].concat();
            out.show(&door.get::<Value>(&path)?, |found| {
                let place = found["authorization_endpoint"].as_str().unwrap_or_default();
                format!("The provider answers. People sign in at {place}")
            })
        }
        Some(OpenIdCommand::Delete) => {
            door.send(Method::DELETE, &PLACE, None)?;
            out.show(&json!({ "deleted": true }), |_| {
                "The provider is forgotten, and who came by it is signed out.".to_owned()
            })
        }
    }
}

/// The settings as the admin API takes them; what is left out is the default there.
fn wish(command: &OpenIdCommand) -> Result<Value, Failure> {
    let OpenIdCommand::Set {
        issuer,
        client_id,
        secret_file,
        label,
        scopes,
        name_claim,
        groups_claim,
        groups,
        closed,
    } = command
    else {
        return Ok(Value::Null);
    };
    let mut wish = json!({
        "enabled": !closed,
        "issuer": issuer,
        "client_id": client_id,
        "label": label,
        "roles": groups.iter().map(|text| role(text)).collect::<Result<Vec<_>, _>>()?,
    });
    if let Some(path) = secret_file {
        wish["client_secret"] = json!(secret(path)?);
    }
    if !scopes.is_empty() {
        wish["scopes"] = json!(scopes);
    }
    for (name, text) in [("name_claim", name_claim), ("groups_claim", groups_claim)] {
        if let Some(text) = text {
            wish[name] = json!(text);
        }
    }
    Ok(wish)
}

/// A group and its role, as in `admins=owner`.
fn role(text: &str) -> Result<Value, Failure> {
    match text.rsplit_once('=') {
        Some((group, role)) => Ok(json!({ "group": group, "role": role })),
        None => Err(
            Failure::new(Exit::Usage, format!("--group: `{text}` has no role"))
                .with("write for example --group admins=owner"),
        ),
    }
}

fn secret(path: &Path) -> Result<String, Failure> {
    let text = match path.to_str() {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        _ => std::fs::read_to_string(path),
    };
    let text = text.map_err(|error| {
        let message = format!("the secret cannot be read from {}: {error}", path.display());
        Failure::new(Exit::Failed, message)
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn told(set: &Value) -> String {
    let text = |name: &str| set[name].as_str().unwrap_or_default().to_owned();
    let roles: Vec<String> = set["roles"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default();
            format!("{}: {}", text("group"), text("role"))
        })
        .collect();
    let state = match set["enabled"].as_bool() {
        Some(true) => "open",
        _ => "closed",
    };
    fields(&[
        ("issuer", &text("issuer")),
        ("client id", &text("client_id")),
        (
            "secret",
            if set["has_secret"] == true {
                "set"
            } else {
                "none"
            },
        ),
        ("the way is", state),
        ("groups", &roles.join(", ")),
        ("redirect URI", &text("redirect_uri")),
    ])
}

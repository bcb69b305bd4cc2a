//! `vestibule connector credentials`: how an identity provider may prove who it is.

use serde_json::{Map, Value, json};

use crate::cli::CredentialsArgs;
use crate::door::{ConnectorDetail, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, fields};

/// Shows the settings, after changing them if there is anything to change.
pub fn run(args: &CredentialsArgs, door: &Door, out: Output) -> Result<(), Failure> {
    let change = change(args)?;
    let detail = match change.is_empty() {
        true => door.connector(&args.connector)?,
        false => door.set_credentials(&args.connector, change)?,
    };
    out.show(&detail.settings.credentials, |_credentials| shown(&detail))
}

/// The members that change, as the admin API takes them.
fn change(args: &CredentialsArgs) -> Result<Map<String, Value>, Failure> {
    let mut change = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            change.insert(name.to_owned(), value);
        }
    };
    let or_default = |number: u32| {
        if number == 0 {
            Value::Null
        } else {
            number.into()
        }
    };
    set(
        "addresses",
        (!args.from.is_empty()).then(|| json!(args.from)),
    );
    set("addresses", args.from_anywhere.then(|| json!([])));
    set("basic", args.basic.map(Value::Bool));
    set("bare_token", args.bare_token.map(Value::Bool));
    set("token_header", args.token_header.clone().map(Value::String));
    set("token_header", args.no_token_header.then_some(Value::Null));
    set(
        "access_token_minutes",
        args.access_token_minutes.map(Value::from),
    );
    set("rate", args.rate.map(or_default));
    set("burst", args.burst.map(or_default));
    set("jwt", jwt(args)?);
    set("jwt", args.no_jwt.then_some(Value::Null));
    Ok(change)
}

fn jwt(args: &CredentialsArgs) -> Result<Option<Value>, Failure> {
    if args.jwt_tenant.is_none() && args.jwt_issuer.is_none() {
        return Ok(None);
    }
    let mut claims = Map::new();
    for claim in &args.jwt_claims {
        let (name, value) = claim.split_once('=').ok_or_else(|| {
            Failure::new(Exit::Usage, format!("--jwt-claim: `{claim}` is no claim"))
                .with("write it as NAME=VALUE, for example appid=0000")
        })?;
        claims.insert(name.to_owned(), value.into());
    }
    Ok(Some(json!({
        "tenant": args.jwt_tenant,
        "issuer": args.jwt_issuer.as_deref().unwrap_or_default(),
        "audience": args.jwt_audience.as_deref().unwrap_or_default(),
        "keys_url": args.jwt_keys_url,
        "claims": claims,
        "algorithms": args.jwt_algorithms,
        "read_only": args.jwt_read_only,
    })))
}

fn shown(detail: &ConnectorDetail) -> String {
    let credentials = &detail.settings.credentials;
    let number = |number: Option<u32>| number.map_or("as the server".to_owned(), |n| n.to_string());
    let yes = |flag: bool| if flag { "yes" } else { "no" };
    let from = match credentials.addresses.is_empty() {
        true => "anywhere".to_owned(),
        false => credentials.addresses.join(", "),
    };
    let minutes = format!("{} minutes", credentials.access_token_minutes);
    let jwt = credentials.jwt.as_ref();
    let issuer = jwt.map_or("none are taken", |jwt| jwt.issuer.as_str());
    let audience = jwt.map_or("", |jwt| jwt.audience.as_str());
    fields(&[
        ("connector", &detail.connector.name),
        ("from", &from),
        ("Basic", yes(credentials.basic)),
        ("token without Bearer", yes(credentials.bare_token)),
        (
            "token header",
            credentials.token_header.as_deref().unwrap_or("none"),
        ),
        ("access tokens live", &minutes),
        ("requests in a second", &number(credentials.rate)),
        ("requests at once", &number(credentials.burst)),
        ("signed tokens of", issuer),
        ("signed tokens for", audience),
    ])
}

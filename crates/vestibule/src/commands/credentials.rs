//! `vestibule connector credentials`: how an identity provider may prove who it is.

use directory::JwtSettings;
use serde_json::{Map, Value, json};

use crate::cli::CredentialsArgs;
use crate::door::{ConnectorDetail, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, fields};

/// Shows the settings, after changing them if there is anything to change.
pub fn run(args: &CredentialsArgs, door: &Door, out: Output) -> Result<(), Failure> {
    let mut change = change(args);
    if let Some(jwt) = jwt(args, door)? {
        change.insert("jwt".to_owned(), jwt);
    }
    let detail = match change.is_empty() {
        true => door.connector(&args.connector)?,
        false => door.set_credentials(&args.connector, change)?,
    };
    out.show(&detail.settings.credentials, |_credentials| shown(&detail))
}

/// The members that change, as the admin API takes them; all but what is said of signed tokens.
fn change(args: &CredentialsArgs) -> Map<String, Value> {
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
    set("jwt", args.no_jwt.then_some(Value::Null));
    change
}

/// Which signed tokens are taken from now on, if that changes: others, or those that are taken already, with other
/// restrictions.
fn jwt(args: &CredentialsArgs, door: &Door) -> Result<Option<Value>, Failure> {
    let restricted = restrictions(args)?;
    if args.jwt_tenant.is_some() || args.jwt_issuer.is_some() {
        let begun = JwtSettings {
            tenant: args.jwt_tenant.clone(),
            issuer: args.jwt_issuer.clone().unwrap_or_default(),
            ..JwtSettings::default()
        };
        return Ok(Some(with(begun, restricted)));
    }
    if restricted.is_empty() {
        return Ok(None);
    }
    let now = door.connector(&args.connector)?;
    match now.settings.credentials.jwt {
        Some(jwt) => Ok(Some(with(jwt, restricted))),
        None => {
            let message = format!(
                "connector {} takes no signed tokens, so that there is nothing to restrict",
                now.connector.name
            );
            Err(Failure::new(Exit::Usage, message).with(
                "say whose tokens it is to take: --jwt-issuer and --jwt-audience, or --jwt-tenant",
            ))
        }
    }
}

/// What is said of signed tokens beside whose they are.
fn restrictions(args: &CredentialsArgs) -> Result<Map<String, Value>, Failure> {
    let mut claims = Map::new();
    for claim in &args.jwt_claims {
        let (name, value) = claim.split_once('=').ok_or_else(|| {
            Failure::new(Exit::Usage, format!("--jwt-claim: `{claim}` is no claim"))
                .with("write it as NAME=VALUE, for example appid=0000")
        })?;
        claims.insert(name.to_owned(), value.into());
    }
    let algorithms = &args.jwt_algorithms;
    let said = [
        ("audience", args.jwt_audience.clone().map(Value::from)),
        ("keys_url", args.jwt_keys_url.clone().map(Value::from)),
        (
            "claims",
            (!claims.is_empty()).then_some(Value::Object(claims)),
        ),
        (
            "algorithms",
            (!algorithms.is_empty()).then(|| json!(algorithms)),
        ),
        ("read_only", args.jwt_read_only.map(Value::Bool)),
    ];
    let said = said.into_iter();
    Ok(said
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect())
}

/// The settings with these restrictions; a claim comes beside those there are.
fn with(jwt: JwtSettings, restrictions: Map<String, Value>) -> Value {
    let mut whole = json!(jwt);
    for (name, value) in restrictions {
        match value {
            Value::Object(claims) => {
                for (claim, value) in claims {
                    whole[name.as_str()][claim.as_str()] = value;
                }
            }
            value => whole[name.as_str()] = value,
        }
    }
    whole
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
    let said = credentials.jwt.as_ref().map(signed_tokens);
    let (rate, burst) = (number(credentials.rate), number(credentials.burst));
    let mut rows: Vec<(&str, &str)> = vec![
        ("connector", &detail.connector.name),
        ("from", &from),
        ("Basic", yes(credentials.basic)),
        ("token without Bearer", yes(credentials.bare_token)),
        (
            "token header",
            credentials.token_header.as_deref().unwrap_or("none"),
        ),
        ("access tokens live", &minutes),
        ("requests in a second", &rate),
        ("requests at once", &burst),
    ];
    match &said {
        None => rows.push(("signed tokens of", "none are taken")),
        Some(said) => rows.extend(said.iter().map(|(name, value)| (*name, value.as_str()))),
    }
    fields(&rows)
}

/// Everything that is said of signed tokens.
fn signed_tokens(jwt: &JwtSettings) -> Vec<(&'static str, String)> {
    let algorithms: Vec<&str> = jwt.algorithms.iter().map(|one| one.as_str()).collect();
    let claims: Vec<String> = jwt
        .claims
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let keys = jwt.keys_url.as_deref().unwrap_or("as the issuer says");
    let claims = match claims.is_empty() {
        true => "any".to_owned(),
        false => claims.join(", "),
    };
    let may = if jwt.read_only {
        "only read"
    } else {
        "read and write"
    };
    let mut said = vec![
        ("signed tokens of", jwt.issuer.clone()),
        ("signed tokens for", jwt.audience.clone()),
        ("their keys", keys.to_owned()),
        ("their algorithms", algorithms.join(", ")),
        ("their claims", claims),
        ("they may", may.to_owned()),
    ];
    if let Some(tenant) = &jwt.tenant {
        said.insert(0, ("signed tokens of tenant", tenant.clone()));
    }
    said
}

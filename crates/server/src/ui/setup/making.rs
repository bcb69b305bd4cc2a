//! What a set-up makes for both sides of a connection: a connector with a token, and an application.

use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::choices::{PROVIDERS, attachable};
use super::progress::Answer;
use super::{Application, Connector};
use crate::ui::desk::{Desk, Listed};
use crate::ui::page::Trouble;

#[derive(Deserialize)]
struct MadeConnector {
    token: String,
    #[serde(flatten)]
    connector: Connector,
}

/// A connector with a token: the one of the first start if nobody has used it, else a new one.
pub(super) async fn make_connector(
    desk: &Desk,
    provider: &str,
    name: &str,
    directory: &str,
) -> Result<(Connector, String), Trouble> {
    let Some(choice) = PROVIDERS.iter().find(|one| one.key == provider) else {
        let detail = "Choose an identity provider.";
        return Err(Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    };
    let all: Listed<Connector> = desk.get(&["connectors"], &[]).await?;
    let taken: Vec<&str> = all.items.iter().map(|one| one.name.as_str()).collect();
    let name = match name {
        "" => free_name(slug(choice.key), &taken),
        name => name.to_owned(),
    };
    if directory.is_empty()
        && let [only] = all.items.as_slice()
        && is_untouched(desk, only).await?
    {
        return adopt(desk, only, choice.key, &name).await;
    }
    let mut wish = json!({ "name": name, "preset": choice.key });
    if !directory.is_empty() {
        wish["directory"] = json!(directory);
    }
    let made: MadeConnector = desk.send(Method::POST, &["connectors"], Some(wish)).await?;
    Ok((made.connector, made.token))
}

/// The name of a connector for a preset.
fn slug(preset: &str) -> &str {
    match preset {
        "generic" => "idp",
        preset => preset.split('_').next().unwrap_or(preset),
    }
}

fn free_name(wanted: &str, taken: &[&str]) -> String {
    let is_free = |name: &str| !taken.iter().any(|one| one.eq_ignore_ascii_case(name));
    if is_free(wanted) {
        return wanted.to_owned();
    }
    let mut number = 2_usize;
    while !is_free(&format!("{wanted}-{number}")) {
        number += 1;
    }
    format!("{wanted}-{number}")
}

/// Whether a connector is the one that the first start makes, and nobody has called it.
async fn is_untouched(desk: &Desk, connector: &Connector) -> Result<bool, Trouble> {
    if connector.name != "default"
        || connector.preset != "generic"
        || connector.users + connector.groups > 0
    {
        return Ok(false);
    }
    let path = ["connectors", "default", "checklist"];
    let checklist: Answer = desk.get(&path, &[]).await?;
    let reached = checklist.items.first().map(|one| one.state.as_str());
    Ok(reached == Some("waiting"))
}

#[derive(Deserialize)]
struct MadeToken {
    token: String,
}

/// Makes the untouched connector of the first start the one that is wished.
async fn adopt(
    desk: &Desk,
    connector: &Connector,
    preset: &str,
    name: &str,
) -> Result<(Connector, String), Trouble> {
    let change = json!({ "name": name, "preset": preset });
    let path = ["connectors", connector.name.as_str()];
    let _changed: Value = desk.send(Method::PATCH, &path, Some(change)).await?;
    // Where another directory has the name, this one keeps its own.
    let path = ["directories", connector.directory.as_str()];
    let _renamed = desk
        .send::<Value>(Method::PATCH, &path, Some(json!({ "name": name })))
        .await;
    let made = new_token(desk, name).await?;
    Ok((desk.get(&["connectors", name], &[]).await?, made))
}

pub(super) async fn new_token(desk: &Desk, connector: &str) -> Result<String, Trouble> {
    let path = ["connectors", connector, "tokens"];
    let wish = json!({ "label": "set-up" });
    let made: MadeToken = desk.send(Method::POST, &path, Some(wish)).await?;
    Ok(made.token)
}

#[derive(Deserialize)]
struct MadeApplication {
    id: String,
    password: String,
}

/// An application that sees the directory: a new one for a product, or one that is there already and sees it as well.
pub(super) async fn make_application(
    desk: &Desk,
    directory: &str,
    product: &str,
) -> Result<Option<(String, Option<String>)>, Trouble> {
    let all: Listed<Application> = desk.get(&["applications"], &[]).await?;
    if let Some(known) = all.items.iter().find(|one| one.id == product) {
        let sees = known
            .directories
            .iter()
            .any(|one| one.directory == directory);
        if !sees {
            let mut wished: Vec<Value> =
                desk.get::<Value>(&["applications", &known.id], &[]).await?["directories"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
            wished.push(json!(directory));
            let change = json!({ "directories": wished });
            let path = ["applications", known.id.as_str()];
            let _changed: Value = desk.send(Method::PATCH, &path, Some(change)).await?;
        }
        return Ok(Some((known.id.clone(), None)));
    }
    let Some(choice) = attachable().find(|one| one.key == product) else {
        return Ok(None);
    };
    let taken: Vec<&str> = all.items.iter().map(|one| one.name.as_str()).collect();
    let wish = json!({
        "name": free_name(choice.key, &taken),
        "directories": [{ "directory": directory }],
    });
    let made: MadeApplication = desk
        .send(Method::POST, &["applications"], Some(wish))
        .await?;
    Ok(Some((made.id, Some(made.password))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_meet() {
        assert_eq!(free_name("okta", &[]), "okta");
        assert_eq!(free_name("okta", &["Okta", "okta-2"]), "okta-3");
        assert_eq!(slug("entra_optscim"), "entra");
    }
}

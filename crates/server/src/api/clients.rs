//! Clients of a connector: who gets access tokens for an id and a secret.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use jiff::Timestamp;
use provision::{NewClientSecret, ProvisionError};
use serde::{Deserialize, Serialize};
use store::{Client, ClientSecret, Grant};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::connectors;
use super::page::List;
use super::request::{OptionalBody, Segments};
use super::tokens::{GrantAccess, overlap};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, delete))
        .routes(routes!(rotate))
        .routes(routes!(revoke_secret))
}

/// A client, without its secrets' texts.
#[derive(Debug, Serialize, ToSchema)]
struct ClientView {
    /// Its id, which it shows with a secret.
    id: String,
    /// What it is for.
    label: String,
    /// `read-only` or `read-write`.
    access: &'static str,
    /// Addresses and ranges it may come from; empty means any.
    addresses: Vec<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used: Option<Timestamp>,
    /// From which address it was last used.
    last_address: Option<String>,
    /// Its secrets, newest first; two can work at a time.
    secrets: Vec<SecretView>,
}

/// A secret, without its text.
#[derive(Debug, Serialize, ToSchema)]
struct SecretView {
    /// Its id, for revoking it.
    id: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it stops working, if ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

/// A client to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClientCreation {
    /// What it is for, at most 100 characters.
    #[serde(default)]
    label: String,
    /// What it may do; everything, if left out.
    #[serde(default)]
    access: GrantAccess,
    /// Addresses and CIDR ranges it may come from; any, if left out.
    #[serde(default)]
    addresses: Vec<String>,
    /// When its secret stops working; never, if left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

/// How to give a client a new secret.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecretRotation {
    /// How many minutes the secret before goes on working, at most thirty days; 0 ends it at once, and
    /// left out it has a day.
    overlap_minutes: Option<u32>,
    /// When the new secret stops working; never, if left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

/// A secret that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedSecret {
    /// The client's id.
    client_id: String,
    /// The secret, shown this once.
    client_secret: String,
    /// Where it is changed into access tokens.
    token_url: String,
    /// What to paste into the identity provider beside it.
    base_url: String,
    /// When the secret stops working, if ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Option<Timestamp>,
}

impl ClientView {
    fn new(client: Client, secrets: Vec<ClientSecret>) -> Self {
        Self {
            id: client.id,
            label: client.label,
            access: client.access.as_str(),
            addresses: client.addresses,
            created: client.created,
            last_used: client.last_used,
            last_address: client.last_address,
            secrets: secrets
                .into_iter()
                .map(|secret| SecretView {
                    id: secret.id,
                    created: secret.created,
                    expires: secret.expires,
                })
                .collect(),
        }
    }
}

impl CreatedSecret {
    fn new(made: &NewClientSecret, base: &str, connector: &str) -> Self {
        Self {
            client_id: made.client.id.clone(),
            client_secret: made.secret.reveal().to_owned(),
            token_url: format!("{base}/oauth/{connector}/token"),
            base_url: format!("{base}/scim/v2/{connector}"),
            expires: made.stored.expires,
        }
    }
}

/// The clients of a connector, in the order they were made.
#[utoipa::path(get, path = "/connectors/{connector}/clients", operation_id = "list_clients", tag = "clients",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = OK, body = List<ClientView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<List<ClientView>>> {
    let items = app
        .provision()
        .store()
        .read(move |tx| {
            let connector = connectors::find(tx, &name)?.connector.id;
            let all = tx.clients_with_secrets(connector)?.into_iter();
            let views = all.map(|(client, secrets)| ClientView::new(client, secrets));
            Ok::<_, ProvisionError>(views.collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(List { items }))
}

/// Makes a client of a connector with a secret.
///
/// With both it asks the token endpoint for access tokens (OAuth 2.0, client credentials). The secret is
/// in the answer and nowhere else.
#[utoipa::path(post, path = "/connectors/{connector}/clients", operation_id = "create_client", tag = "clients",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = ClientCreation,
    responses((status = CREATED, body = CreatedSecret)))]
async fn create(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
    OptionalBody(creation): OptionalBody<ClientCreation>,
) -> Answer<impl IntoResponse> {
    let connector = found(&app, &name).await?;
    let grant = Grant {
        label: creation.label,
        access: creation.access.into(),
        rights: None,
        addresses: creation.addresses,
        expires: creation.expires,
    };
    let made = app.provision().create_client(connector.0, grant).await?;
    let view = CreatedSecret::new(&made, &app.base_url(&headers), &connector.1);
    Ok((StatusCode::CREATED, Json(view)))
}

/// A client of a connector.
#[utoipa::path(get, path = "/connectors/{connector}/clients/{client}", operation_id = "show_client", tag = "clients",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("client" = String, Path, description = "The client's id"),
    ),
    responses((status = OK, body = ClientView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<ClientView>> {
    let (name, id) = path.0;
    let view = app
        .provision()
        .store()
        .read(move |tx| {
            let connector = connectors::find(tx, &name)?.connector.id;
            let client = tx.client(connector, &id)?;
            let client = client.ok_or_else(|| ProvisionError::not_found("client", &id))?;
            let secrets = tx.client_secrets(&client)?;
            Ok::<_, ProvisionError>(ClientView::new(client, secrets))
        })
        .await?;
    Ok(Json(view))
}

/// Deletes a client; its secrets and access tokens stop working at once.
#[utoipa::path(delete, path = "/connectors/{connector}/clients/{client}", operation_id = "delete_client", tag = "clients",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("client" = String, Path, description = "The client's id"),
    ),
    responses((status = NO_CONTENT)))]
async fn delete(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<StatusCode> {
    let (name, client) = &*path;
    let connector = found(&app, name).await?;
    app.provision().delete_client(connector.0, client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a client a new secret and lets the one before end after a while.
///
/// Access tokens that were given for the old secret work to their end.
#[utoipa::path(post, path = "/connectors/{connector}/clients/{client}/secrets", operation_id = "rotate_client_secret", tag = "clients",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("client" = String, Path, description = "The client's id"),
    ),
    request_body = SecretRotation,
    responses((status = CREATED, body = CreatedSecret)))]
async fn rotate(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    path: Segments<(String, String)>,
    OptionalBody(rotation): OptionalBody<SecretRotation>,
) -> Answer<impl IntoResponse> {
    let (name, client) = &*path;
    let overlap = overlap(rotation.overlap_minutes)?;
    let connector = found(&app, name).await?;
    let made = app
        .provision()
        .rotate_client_secret(connector.0, client, rotation.expires, overlap)
        .await?;
    let view = CreatedSecret::new(&made, &app.base_url(&headers), &connector.1);
    Ok((StatusCode::CREATED, Json(view)))
}

/// Revokes a secret of a client; it and the access tokens that were given for it stop working at once.
#[utoipa::path(delete, path = "/connectors/{connector}/clients/{client}/secrets/{secret}", operation_id = "revoke_client_secret", tag = "clients",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("client" = String, Path, description = "The client's id"),
        ("secret" = String, Path, description = "The secret's id"),
    ),
    responses((status = NO_CONTENT)))]
async fn revoke_secret(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String, String)>,
) -> Answer<StatusCode> {
    let (name, client, secret) = &*path;
    let connector = found(&app, name).await?;
    app.provision()
        .revoke_client_secret(connector.0, client, secret)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The connector's number, and the id in its URLs.
async fn found(app: &App, name: &str) -> Answer<(directory::ConnectorId, String)> {
    let name = name.to_owned();
    let found = app
        .provision()
        .store()
        .look_up(move |tx| connectors::find(tx, &name))
        .await?;
    Ok((found.connector.id, found.connector.public_id))
}

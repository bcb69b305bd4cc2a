//! Links to the set-up of a connector, for somebody who has no account here.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use jiff::Timestamp;
use provision::{ProvisionError, SETUP_LINK_DAYS_DEFAULT};
use serde::{Deserialize, Serialize};
use store::SetupLink;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::connectors::{find, find_id};
use super::page::List;
use super::request::{OptionalBody, Segments};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, revoke))
}

/// A link that still works, without its address.
#[derive(Debug, Serialize, ToSchema)]
struct SetupLinkView {
    /// Its id.
    id: String,
    /// Who made it.
    created_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it stops working.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// When it was last opened, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_opened: Option<Timestamp>,
    /// The id of the token that was made by it, if one was.
    token: Option<String>,
}

impl From<SetupLink> for SetupLinkView {
    fn from(link: SetupLink) -> Self {
        Self {
            id: link.id,
            created_by: link.created_by,
            created: link.created,
            expires: link.expires,
            last_opened: link.last_opened,
            token: link.token,
        }
    }
}

/// A link to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetupLinkCreation {
    /// How many days it is good, 1 to 30; 3 if left out.
    days: Option<u32>,
}

/// A link that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct NewSetupLinkView {
    /// Its id.
    id: String,
    /// The address, shown this once.
    link: String,
    /// When it stops working.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
}

/// The links to the set-up of a connector that still work, newest first.
#[utoipa::path(get, path = "/connectors/{connector}/setup-links", operation_id = "list_setup_links", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = OK, body = List<SetupLinkView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<List<SetupLinkView>>> {
    let links = app
        .provision()
        .store()
        .read(move |tx| {
            let connector = find(tx, &name)?.connector.id;
            Ok::<_, ProvisionError>(tx.setup_links(connector)?)
        })
        .await?;
    let items = links.into_iter().map(SetupLinkView::from).collect();
    Ok(Json(List { items }))
}

/// Makes a link to the set-up of a connector.
///
/// Whoever has it sees base URL, steps and checklist of this connector and makes its token, and reaches nothing else. No
/// account is needed.
#[utoipa::path(post, path = "/connectors/{connector}/setup-links", operation_id = "create_setup_link", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = SetupLinkCreation,
    responses((status = CREATED, body = NewSetupLinkView)))]
async fn create(
    admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
    OptionalBody(creation): OptionalBody<SetupLinkCreation>,
) -> Answer<impl IntoResponse> {
    let connector = find_id(&app, &name).await?;
    let days = creation.days.unwrap_or(SETUP_LINK_DAYS_DEFAULT);
    let made = app
        .provision()
        .create_setup_link(connector, days, &admin.name)
        .await?;
    let made = NewSetupLinkView {
        id: made.link.id,
        link: format!(
            "{}/connect/{}",
            app.base_url(&headers),
            made.secret.reveal()
        ),
        expires: made.link.expires,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// A link to the set-up of a connector that still works.
#[utoipa::path(get, path = "/connectors/{connector}/setup-links/{link}", operation_id = "show_setup_link", tag = "connectors",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("link" = String, Path, description = "The id of the link"),
    ),
    responses((status = OK, body = SetupLinkView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<Json<SetupLinkView>> {
    let (name, id) = path.0;
    let link = app
        .provision()
        .store()
        .read(move |tx| {
            let connector = find(tx, &name)?.connector.id;
            let mut all = tx.setup_links(connector)?.into_iter();
            let found = all.find(|link| link.id == id);
            found.ok_or_else(|| ProvisionError::not_found("setup link", &id))
        })
        .await?;
    Ok(Json(link.into()))
}

/// Takes a link back. The token that was made by it goes on working.
#[utoipa::path(delete, path = "/connectors/{connector}/setup-links/{link}", operation_id = "revoke_setup_link", tag = "connectors",
    params(
        ("connector" = String, Path, description = "Its id or name"),
        ("link" = String, Path, description = "The id of the link"),
    ),
    responses((status = NO_CONTENT)))]
async fn revoke(
    _admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<StatusCode> {
    let (name, link) = &*path;
    let connector = find_id(&app, name).await?;
    app.provision().revoke_setup_link(connector, link).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! User names that are kept for whoever had them: see them, and let one go earlier (CR-08).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use directory::GivenUp;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{Page, Part, cut, limit, one_more};
use super::request::{Parameters, Segments};
use super::{Answer, directories};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(release))
}

/// A user name that nobody has, and that is kept for whoever had it.
#[derive(Debug, Serialize, ToSchema)]
struct ReservedNameView {
    /// The name.
    name: String,
    /// The key of the account that had it.
    key: String,
    /// The name that this account has now, or had when it was removed.
    now: String,
    /// How it was given up: `renamed`, `removed` or `anonymised`.
    #[schema(value_type = String)]
    given_up: GivenUp,
    /// When it was given up.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Until when nobody else gets it, by the connector of the directory that keeps names longest.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// User names that somebody gave up lately and that nobody else gets yet.
///
/// For how long is the rule `accounts.names_reserved_days` of the connectors.
#[utoipa::path(get, path = "/directories/{directory}/reserved-names", operation_id = "list_reserved_names", tag = "directories",
    params(("directory" = String, Path, description = "Its id or name"), Part),
    responses((status = OK, body = Page<ReservedNameView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    directory: Segments<String>,
    Parameters(part): Parameters<Part>,
) -> Answer<Json<Page<ReservedNameView>>> {
    let limit = limit(part.limit)?;
    let behind = scim::fold(&part.after.unwrap_or_default());
    let provision = app.provision().clone();
    directories::answer(&app, directory.0, move |tx, directory| {
        let mut found = provision.reserved_names(tx, directory, &behind, one_more(limit))?;
        let next = cut(&mut found, limit, |last| last.former.name.clone());
        let items = found.into_iter().map(|one| ReservedNameView {
            name: one.former.name,
            key: one.former.key,
            now: one.former.now,
            given_up: one.former.former.manner,
            since: one.former.former.at,
            until: one.until,
        });
        Ok(Page {
            next,
            items: items.collect(),
        })
    })
    .await
}

/// Lets a user name go to whoever wants it, before its time. Users who wait for it are evaluated again.
#[utoipa::path(delete, path = "/directories/{directory}/reserved-names/{name}", operation_id = "release_reserved_name", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("name" = String, Path, description = "The user name"),
    ),
    responses((status = NO_CONTENT, description = "Anybody may get it.")))]
async fn release(
    admin: Admin,
    State(app): State<App>,
    path: Segments<(String, String)>,
) -> Answer<StatusCode> {
    let (directory, name) = path.0;
    let id = directories::find_id(&app, directory).await?;
    app.provision().release_name(id, &name, &admin.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

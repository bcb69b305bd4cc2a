//! Connectors that let accounts go: deleted, moved to another directory, or giving accounts to another connector.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use directory::Fate;
use provision::{Fit, MatchBy, TransferItem, TransferWish};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::jobs::{BegunView, accepted};
use super::request::{Body, Parameters, Segments};
use super::{Answer, connectors, directories};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(preview))
        .routes(routes!(relocate))
        .routes(routes!(preview_transfer))
        .routes(routes!(transfer))
}

/// What letting go of a connector's accounts touches.
#[derive(Debug, Serialize, ToSchema)]
struct ReleaseView {
    /// Users in its source, which a deletion forgets.
    users: i64,
    /// Groups in its source, which a deletion forgets.
    groups: i64,
    /// Accounts that may log in.
    active_accounts: i64,
    /// Accounts that may not.
    disabled_accounts: i64,
    /// Of a move: accounts whose name somebody has in the other directory, so that they cannot be made there.
    taken_names: i64,
}

/// What becomes of accounts.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FateQuery {
    /// What becomes of the accounts: `keep`, which makes them local and is the default, `disable` or `remove`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    accounts: Fate,
}

/// Where a connector is to move.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PlaceQuery {
    /// The other directory, by id or name, if it is to move.
    directory: Option<String>,
}

/// A move to another directory.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Relocation {
    /// The other directory, by id or name.
    directory: String,
    /// What becomes of the accounts in the present one: `keep`, which makes them local and is the default, `disable` or
    /// `remove`.
    #[serde(default)]
    #[schema(value_type = String)]
    accounts: Fate,
}

/// A transfer of accounts to another connector of the same directory.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TransferRequest {
    /// The connector that gets them, by id or name.
    to: String,
    /// By what the same person is found there: `user_name`, `email` or `external_id`.
    #[serde(default)]
    #[schema(value_type = String)]
    match_by: MatchBy,
    /// A SCIM filter on the users of the connector that gives; all of them if left out.
    filter: Option<String>,
    /// Whether accounts stay in groups that the connector that gets them does not give.
    #[serde(default = "yes")]
    keep_memberships: bool,
}

fn yes() -> bool {
    true
}

/// What a transfer would do.
#[derive(Debug, Serialize, ToSchema)]
struct TransferView {
    /// How many accounts there are of each kind: `transfer`, `no_match`, `ambiguous`, `has_account` and `left_out`.
    #[schema(value_type = Object)]
    counts: BTreeMap<Fit, i64>,
    /// The accounts that are not left out, the first thousand of them.
    accounts: Vec<TransferItemView>,
}

/// What a transfer would make of one account.
#[derive(Debug, Serialize, ToSchema)]
struct TransferItemView {
    /// The stable key.
    key: String,
    /// The user name.
    name: String,
    /// What would become of it: `transfer`, or why not.
    #[schema(value_type = String)]
    fit: Fit,
    /// Whether it may log in afterwards.
    active_after: bool,
    /// The user name afterwards.
    name_after: String,
    /// Groups that it stays in only because it was in them.
    kept_groups: Vec<String>,
    /// Groups that it leaves.
    lost_groups: Vec<String>,
    /// Groups that it comes into.
    new_groups: Vec<String>,
}

impl From<TransferItem> for TransferItemView {
    fn from(item: TransferItem) -> Self {
        Self {
            key: item.key,
            name: item.name,
            fit: item.fit,
            active_after: item.active,
            name_after: item.name_after,
            kept_groups: item.kept_groups,
            lost_groups: item.lost_groups,
            new_groups: item.new_groups,
        }
    }
}

/// What the deletion of a connector, or its move to another directory, would touch.
#[utoipa::path(get, path = "/connectors/{connector}/release", operation_id = "preview_release", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), PlaceQuery),
    responses((status = OK, body = ReleaseView)))]
async fn preview(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Parameters(query): Parameters<PlaceQuery>,
) -> Answer<Json<ReleaseView>> {
    let id = connectors::find_id(&app, &name).await?;
    let to = match query.directory {
        Some(name) => Some(directories::find_id(&app, name).await?),
        None => None,
    };
    let effects = app.provision().preview_release(id, to).await?;
    Ok(Json(ReleaseView {
        users: effects.users,
        groups: effects.groups,
        active_accounts: effects.accounts.active,
        disabled_accounts: effects.accounts.disabled,
        taken_names: effects.taken_names,
    }))
}

/// Deletes a connector with its source, tokens and clients, as a job. It is disabled at once.
#[utoipa::path(delete, path = "/connectors/{connector}", operation_id = "delete_connector", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), FateQuery),
    responses((status = ACCEPTED, body = BegunView)))]
pub(super) async fn delete(
    admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Parameters(query): Parameters<FateQuery>,
) -> Answer<impl IntoResponse> {
    let id = connectors::find_id(&app, &name).await?;
    let begun = app
        .provision()
        .delete_connector(id, query.accounts, &admin.name)
        .await?;
    accepted(&app, begun).await
}

/// Lets a connector feed another directory, as a job.
///
/// It is paused meanwhile. Then its users are evaluated in the other directory, by a job of kind `rules`.
#[utoipa::path(post, path = "/connectors/{connector}/move", operation_id = "move_connector", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = Relocation,
    responses((status = ACCEPTED, body = BegunView)))]
async fn relocate(
    admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(wish): Body<Relocation>,
) -> Answer<impl IntoResponse> {
    let id = connectors::find_id(&app, &name).await?;
    let to = directories::find_id(&app, wish.directory).await?;
    let begun = app
        .provision()
        .move_connector(id, to, wish.accounts, &admin.name)
        .await?;
    accepted(&app, begun).await
}

/// What a transfer would do, without doing it.
#[utoipa::path(post, path = "/connectors/{connector}/transfer/preview", operation_id = "preview_transfer", tag = "connectors",
    extensions(("x-changes" = json!("nothing"))),
    params(("connector" = String, Path, description = "Id or name of the connector that gives")),
    request_body = TransferRequest,
    responses((status = OK, body = TransferView)))]
async fn preview_transfer(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(request): Body<TransferRequest>,
) -> Answer<Json<TransferView>> {
    let from = connectors::find_id(&app, &name).await?;
    let wish = wish(&app, request).await?;
    let preview = app.provision().preview_transfer(from, wish).await?;
    Ok(Json(TransferView {
        counts: preview.counts,
        accounts: preview.accounts.into_iter().map(Into::into).collect(),
    }))
}

/// Gives accounts of a connector to another one that feeds the same directory, as a job.
///
/// Keys stay, nobody is disabled in between, and what the former identity provider does with its users has no effect on
/// these accounts any more.
#[utoipa::path(post, path = "/connectors/{connector}/transfer", operation_id = "transfer_accounts", tag = "connectors",
    params(("connector" = String, Path, description = "Id or name of the connector that gives")),
    request_body = TransferRequest,
    responses((status = ACCEPTED, body = BegunView)))]
async fn transfer(
    admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
    Body(request): Body<TransferRequest>,
) -> Answer<impl IntoResponse> {
    let from = connectors::find_id(&app, &name).await?;
    let wish = wish(&app, request).await?;
    let begun = app.provision().transfer(from, wish, &admin.name).await?;
    accepted(&app, begun).await
}

async fn wish(app: &App, request: TransferRequest) -> Answer<TransferWish> {
    Ok(TransferWish {
        to: connectors::find_id(app, &request.to).await?.0,
        match_by: request.match_by,
        filter: request.filter,
        keep_memberships: request.keep_memberships,
        behind: 0,
    })
}

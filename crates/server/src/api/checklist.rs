//! The checklist of a set-up: what has arrived from the identity provider, and what products have fetched.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::Timestamp;
use provision::{CheckItem, Checklist, Outside, ProvisionError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::connectors::find;
use super::request::{Parameters, Segments};
use crate::App;
use crate::authority::Admin;
use crate::seen;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// How the set-up of a connector stands.
#[derive(Debug, Serialize, ToSchema)]
struct ChecklistView {
    /// Whether nothing is left to happen.
    complete: bool,
    /// Each thing that has to happen, in its order.
    items: Vec<CheckView>,
}

/// How one thing stands.
#[derive(Debug, Serialize, ToSchema)]
struct CheckView {
    /// `reached`, `tested`, `user`, `group`, `membership`, `attached` or `fetched`.
    check: &'static str,
    /// What it is, in words.
    title: &'static str,
    /// `provider` if the identity provider has to do it, `product` if a product has.
    side: &'static str,
    /// `done`, `waiting`, `failed` (it was tried and refused) or `skipped` (this identity provider does not do it).
    state: &'static str,
    /// What was received, or that nothing was.
    seen: String,
    /// What to do or to change, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// When it happened, if that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
}

impl From<CheckItem> for CheckView {
    fn from(item: CheckItem) -> Self {
        Self {
            check: item.check.as_str(),
            title: item.check.title(),
            side: match item.check.is_of_provider() {
                true => "provider",
                false => "product",
            },
            state: item.state.as_str(),
            seen: item.seen,
            remedy: item.remedy,
            at: item.at,
        }
    }
}

/// Which product to look at.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Confined {
    /// Only this application, by id or name; left out, any that sees the connector's directory.
    application: Option<String>,
}

/// How the set-up of a connector stands: what has arrived, what was refused and why, which product fetches.
///
/// It tells of what happened until a moment ago. Products that were refused are known since the server was started, on
/// the node that refused them.
#[utoipa::path(get, path = "/connectors/{connector}/checklist", operation_id = "show_checklist", tag = "connectors",
    params(("connector" = String, Path, description = "Its id or name"), Confined),
    responses((status = OK, body = ChecklistView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    name: Segments<String>,
    Parameters(confined): Parameters<Confined>,
) -> Answer<Json<ChecklistView>> {
    let list = checklist(&app, &headers, name.0, confined.application).await?;
    Ok(Json(ChecklistView {
        complete: list.is_complete(),
        items: list.items.into_iter().map(CheckView::from).collect(),
    }))
}

/// The checklist as of now: what waits in memory is written down first.
async fn checklist(
    app: &App,
    headers: &HeaderMap,
    connector: String,
    application: Option<String>,
) -> Result<Checklist, ProvisionError> {
    app.flush_records().await;
    seen::write_once(app).await;
    let found = app
        .provision()
        .store()
        .look_up(move |tx| find(tx, &connector))
        .await?;
    let public_id = found.connector.public_id;
    let outside = Outside {
        base_url: format!("{}/scim/v2/{public_id}", app.base_url(headers)),
        refused: app.inner().seen.refused_applications(),
        application,
    };
    app.provision().checklist(&public_id, outside).await
}

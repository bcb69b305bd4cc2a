//! Safety limits of a connector: how much of them is used up.

use axum::Json;
use axum::extract::State;
use directory::LimitSettings;
use jiff::Timestamp;
use provision::{LimitUse, ProvisionError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::request::Segments;
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// The limits of a connector and how much of them is used up.
#[derive(Debug, Serialize, ToSchema)]
struct LimitsView {
    /// Whether anything is counted and held.
    enabled: bool,
    /// How long an effect counts, in minutes.
    window_minutes: u32,
    /// When the window began: what happened earlier counts no more.
    #[schema(value_type = String, format = DateTime)]
    window_start: Timestamp,
    /// How many holds are open.
    open_holds: i64,
    /// Since when the oldest of them is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    held_since: Option<Timestamp>,
    /// One line for each limit, and for each group that lost members in the window.
    limits: Vec<LimitView>,
    /// The settings, to be changed as `settings.limits` of the connector.
    #[schema(value_type = Object)]
    settings: LimitSettings,
}

/// How much of one limit is used up.
#[derive(Debug, Serialize, ToSchema)]
struct LimitView {
    /// Its name in the settings.
    limit: &'static str,
    /// The group, if it is about one; in small letters if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// How many were let through in the window.
    passed: u64,
    /// How many are let through at most; absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<u64>,
    /// How many more are let through; absent without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<u64>,
    /// Of how many the share is taken; 0 where only the number counts.
    of: u64,
}

impl From<LimitUse> for LimitView {
    fn from(used: LimitUse) -> Self {
        Self {
            left: used.left(),
            limit: used.limit,
            group: used.group,
            passed: used.passed,
            allowed: used.allowed,
            of: used.of,
        }
    }
}

/// The safety limits of a connector: the window, what was let through in it, and what is left.
#[utoipa::path(get, path = "/connectors/{connector}/limits", operation_id = "show_limits", tag = "holds",
    params(("connector" = String, Path, description = "Its id or name")),
    responses((status = OK, body = LimitsView)))]
async fn show(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
) -> Answer<Json<LimitsView>> {
    let provision = app.provision().clone();
    let view = app
        .provision()
        .store()
        .read(move |tx| {
            let id = connectors::find(tx, &connector)?.connector.id;
            let loaded = provision
                .load_connector(tx, id)?
                .ok_or_else(|| connectors::not_found(&connector))?;
            let report = provision.limits(tx, &loaded)?;
            let figures = tx.hold_figures(id)?;
            let settings = loaded.connector.settings.limits.clone();
            Ok::<_, ProvisionError>(LimitsView {
                enabled: settings.enabled,
                window_minutes: settings.window_minutes,
                window_start: report.since,
                open_holds: figures.open,
                held_since: figures.since,
                limits: report.uses.into_iter().map(LimitView::from).collect(),
                settings,
            })
        })
        .await?;
    Ok(Json(view))
}

//! Sessions of the console: seen, and ended, one's own and, by owners, those of others.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use store::{AdministratorSession, Stage};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Answer;
use super::account::own;
use super::page::List;
use super::request::Segments;
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_own))
        .routes(routes!(end_own))
        .routes(routes!(list, end_all))
        .routes(routes!(end))
}

/// A session of the console.
#[derive(Debug, Serialize, ToSchema)]
struct ConsoleSessionView {
    /// The id.
    id: String,
    /// Whether a second factor is still to be shown or set up in it.
    waits_for_second_factor: bool,
    /// The address from which it began, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// What the browser called itself, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it was last used, to the minute.
    #[schema(value_type = String, format = DateTime)]
    last_used: Timestamp,
    /// When it ends unless it is used before.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// When it ends in any case.
    #[schema(value_type = String, format = DateTime)]
    ends: Timestamp,
}

impl From<AdministratorSession> for ConsoleSessionView {
    fn from(session: AdministratorSession) -> Self {
        Self {
            id: session.id,
            waits_for_second_factor: session.stage != Stage::Full,
            address: session.browser.address,
            user_agent: session.browser.agent,
            created: session.created,
            last_used: session.last_used,
            expires: session.expires,
            ends: session.ends,
        }
    }
}

/// How many sessions ended.
#[derive(Debug, Serialize, ToSchema)]
struct EndedConsoleSessions {
    /// Sessions that were ended.
    ended: u64,
}

/// The caller's own sessions of the console, the newest first.
#[utoipa::path(get, path = "/account/sessions", operation_id = "list_own_sessions", tag = "administrators",
    responses((status = OK, body = List<ConsoleSessionView>)))]
async fn list_own(admin: Admin, State(app): State<App>) -> Answer<Json<List<ConsoleSessionView>>> {
    found(&app, own(&admin)?).await
}

/// Ends one of the caller's own sessions of the console.
#[utoipa::path(delete, path = "/account/sessions/{session}", operation_id = "end_own_session", tag = "administrators",
    params(("session" = String, Path, description = "Its id")),
    responses((status = NO_CONTENT)))]
async fn end_own(
    admin: Admin,
    State(app): State<App>,
    session: Segments<String>,
) -> Answer<StatusCode> {
    let provision = app.provision();
    provision
        .end_console_sessions(own(&admin)?, Some(&session))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The sessions of the console that an administrator has, the newest first.
#[utoipa::path(get, path = "/administrators/{administrator}/sessions", operation_id = "list_administrator_sessions", tag = "administrators",
    params(("administrator" = String, Path, description = "The id or name")),
    responses((status = OK, body = List<ConsoleSessionView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<List<ConsoleSessionView>>> {
    found(&app, &name).await
}

/// Ends all sessions of the console that an administrator has: the person is signed out everywhere.
#[utoipa::path(delete, path = "/administrators/{administrator}/sessions", operation_id = "end_administrator_sessions", tag = "administrators",
    params(("administrator" = String, Path, description = "The id or name")),
    responses((status = OK, body = EndedConsoleSessions)))]
async fn end_all(
    _admin: Admin,
    State(app): State<App>,
    name: Segments<String>,
) -> Answer<Json<EndedConsoleSessions>> {
    let ended = app.provision().end_console_sessions(&name, None).await?;
    Ok(Json(EndedConsoleSessions { ended }))
}

/// Ends one session of the console that an administrator has.
#[utoipa::path(delete, path = "/administrators/{administrator}/sessions/{session}", operation_id = "end_administrator_session", tag = "administrators",
    params(
        ("administrator" = String, Path, description = "The id or name"),
        ("session" = String, Path, description = "Its id"),
    ),
    responses((status = NO_CONTENT)))]
async fn end(
    _admin: Admin,
    State(app): State<App>,
    segments: Segments<(String, String)>,
) -> Answer<StatusCode> {
    let (name, session) = segments.0;
    let provision = app.provision();
    provision
        .end_console_sessions(&name, Some(&session))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn found(app: &App, name: &str) -> Answer<Json<List<ConsoleSessionView>>> {
    let found = app.provision().console_sessions(name).await?;
    let items = found.into_iter().map(ConsoleSessionView::from).collect();
    Ok(Json(List { items }))
}

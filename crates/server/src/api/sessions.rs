//! Sessions that a person has with products: seen, and ended.

use axum::Json;
use axum::extract::State;
use directory::DirectoryId;
use jiff::Timestamp;
use provision::ProvisionError;
use serde::Serialize;
use store::{ReadTx, Session};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::List;
use super::request::Segments;
use super::{Answer, directories, users};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, end))
}

/// A session. Its token is not shown: it is not known here.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// The name of the application that began it.
    application: String,
    /// What it is bound to, e.g. the address of the browser.
    factors: Vec<FactorView>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When it ends unless it is used before.
    #[schema(value_type = String, format = DateTime)]
    expires: Timestamp,
    /// When it ends in any case.
    #[schema(value_type = String, format = DateTime)]
    ends: Timestamp,
}

/// What a session is bound to.
#[derive(Debug, Serialize, ToSchema)]
pub struct FactorView {
    /// E.g. `remote_address`.
    name: String,
    /// Its value.
    value: String,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        let factors = session.factors.into_iter();
        Self {
            application: session.application,
            factors: factors
                .map(|(name, value)| FactorView { name, value })
                .collect(),
            created: session.created,
            expires: session.expires,
            ends: session.ends,
        }
    }
}

/// How many sessions ended.
#[derive(Debug, Serialize, ToSchema)]
struct Ended {
    /// Sessions that were ended.
    ended: u64,
}

/// The sessions of a user, oldest first.
#[utoipa::path(get, path = "/directories/{directory}/users/{user}/sessions", operation_id = "list_sessions", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's name or key"),
    ),
    responses((status = OK, body = List<SessionView>)))]
async fn list(
    _admin: Admin,
    State(app): State<App>,
    segments: Segments<(String, String)>,
) -> Answer<Json<List<SessionView>>> {
    let (directory, user) = segments.0;
    directories::answer(&app, directory, move |tx, directory| {
        let items = live_sessions(tx, directory, &user)?;
        Ok(List { items })
    })
    .await
}

/// The sessions of a user, by name or key, that have not ended; oldest first.
pub fn live_sessions(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    user: &str,
) -> Result<Vec<SessionView>, ProvisionError> {
    let user = users::find(tx, directory, user)?.pk;
    let now = tx.now();
    let live = tx.sessions_of(user)?.into_iter();
    let live = live.filter(|session| session.is_live(now));
    Ok(live.map(SessionView::from).collect())
}

/// Ends all sessions of a user: every product asks for a login again.
#[utoipa::path(delete, path = "/directories/{directory}/users/{user}/sessions", operation_id = "end_sessions", tag = "directories",
    params(
        ("directory" = String, Path, description = "Its id or name"),
        ("user" = String, Path, description = "The user's name or key"),
    ),
    responses((status = OK, body = Ended)))]
async fn end(
    _admin: Admin,
    State(app): State<App>,
    segments: Segments<(String, String)>,
) -> Answer<Json<Ended>> {
    let (directory, user) = segments.0;
    let found = directories::answer(&app, directory, move |tx, directory| {
        Ok(users::find(tx, directory, &user)?.pk)
    });
    let Json(user) = found.await?;
    let ended = app.provision().end_sessions_of(user, None).await?;
    Ok(Json(Ended { ended }))
}

//! The backup that lies ready to be restored: brought, looked at, and begun anew with.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use provision::RestoredBy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::backup::{BackupCheckView, alone, problem};
use super::request::Body as Sent;
use super::{Answer, Problem, arriving};
use crate::App;
use crate::authority::Admin;
use crate::staging::{FailedRestore, Staged};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show, stage, discard))
        .routes(routes!(restore))
}

/// What a restore would begin with, and how the last one went.
#[derive(Debug, Serialize, ToSchema)]
struct StagingView {
    /// The backup that lies ready; null if none does.
    backup: Option<StagedView>,
    /// The restore with which this program began, if it failed; null otherwise.
    failed: Option<FailedView>,
}

/// A backup that lies ready.
#[derive(Debug, Serialize, ToSchema)]
struct StagedView {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// What is in it, and how it stands to this installation.
    #[serde(flatten)]
    content: BackupCheckView,
}

/// A restore that came to nothing: everything is as it was.
#[derive(Debug, Serialize, ToSchema)]
struct FailedView {
    /// When it was tried.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why it failed.
    why: String,
}

impl From<Staged> for StagedView {
    fn from(staged: Staged) -> Self {
        Self {
            since: staged.since,
            content: staged.checked.into(),
        }
    }
}

impl From<&FailedRestore> for FailedView {
    fn from(failed: &FailedRestore) -> Self {
        Self {
            at: failed.at,
            why: failed.why.clone(),
        }
    }
}

/// The backup that lies ready to be restored, and the last restore if it failed. For owners.
#[utoipa::path(get, path = "/backup/staged", operation_id = "get_staged_backup", tag = "backup",
    responses((status = OK, body = StagingView)))]
async fn show(_admin: Admin, State(app): State<App>) -> Json<StagingView> {
    let staging = &app.inner().staging;
    Json(StagingView {
        backup: staging.staged().map(StagedView::from),
        failed: staging.failed().map(FailedView::from),
    })
}

/// Lays a backup ready to be restored, in the place of another. For owners.
///
/// It is looked at while it comes: only one that is whole and that this program can restore is kept, on this node, until it is
/// restored, taken away, or the program ends. Nothing is restored by that.
#[utoipa::path(put, path = "/backup/staged", operation_id = "stage_backup", tag = "backup",
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = OK, body = StagedView)))]
async fn stage(
    _admin: Admin,
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Json<StagedView>> {
    let (staging, alone) = (&app.inner().staging, alone(&app)?);
    let Some(begun) = staging.begin() else {
        let detail = "This server cannot begin anew by itself. Use 'vestibule restore FILE' where no server runs.";
        return Err(Problem::new(StatusCode::CONFLICT, detail));
    };
    let file = begun.map_err(|error| problem(error.into()))?;
    let received = arriving::receive(&app, alone, &headers, body, Some(file)).await;
    let checked = received.inspect_err(|_refused| staging.clear())?;
    let staged = Staged {
        checked,
        since: app.provision().store().now(),
    };
    staging.keep(staged.clone());
    Ok(Json(staged.into()))
}

/// Takes away the backup that lies ready. For owners.
#[utoipa::path(delete, path = "/backup/staged", operation_id = "discard_staged_backup", tag = "backup",
    extensions(("x-changes" = json!("/backup/staged"))),
    responses((status = NO_CONTENT)))]
async fn discard(_admin: Admin, State(app): State<App>) -> Answer<StatusCode> {
    let _alone = alone(&app)?;
    app.inner().staging.clear();
    Ok(StatusCode::NO_CONTENT)
}

/// Which backup is meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RestoreWish {
    /// The `sha256` of the backup that lies ready.
    sha256: String,
}

/// Replaces everything that is stored by the backup that lies ready. For owners.
///
/// The answer comes at once. The server then lets go of everything, restores the backup in one transaction, and serves again at
/// the same address; whoever asks meanwhile waits. If anything fails, it serves what there was, and `GET /backup/staged` says why.
/// With PostgreSQL all other nodes have to be stopped first. Afterwards everybody signs in again, and products fetch everything anew.
#[utoipa::path(post, path = "/backup/staged/restore", operation_id = "restore_staged_backup", tag = "backup",
    request_body = RestoreWish,
    responses((status = ACCEPTED, description = "The server begins anew with it.")))]
async fn restore(
    admin: Admin,
    State(app): State<App>,
    Sent(wish): Sent<RestoreWish>,
) -> Answer<StatusCode> {
    let by = RestoredBy {
        kind: admin.kind,
        id: admin.id,
        name: admin.name,
        address: admin.address.map(|address| address.to_string()),
        request: admin.request,
    };
    match app.inner().staging.order(&wish.sha256, by) {
        true => Ok(StatusCode::ACCEPTED),
        false => Err(Problem::new(
            StatusCode::CONFLICT,
            "No backup with this checksum lies ready on this node. Send it to '/backup/staged' first.",
        )),
    }
}

//! Replays of recorded requests: what one would do now, by the present rules, without doing it.

use axum::Json;
use axum::extract::State;
use directory::{Change, ConnectorState, HoldKind};
use provision::{KeptResource, Replayed, ReplayedChange, ReplayedOperation};
use scim::Warning;
use serde::Serialize;
use serde_json::Value;
use store::StoredHold;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::request::Segments;
use super::{Answer, schema};
use crate::App;
use crate::authority::Admin;
use crate::scim::scim_error;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(replay))
}

/// What a recorded request would do now.
#[derive(Debug, Serialize, ToSchema)]
struct ReplayView {
    /// What it would do to the source: one operation, or those of a bulk request, in its order.
    operations: Vec<ReplayedOperationView>,
    /// What it would change in the directory at once, the first 200.
    changes: Vec<ReplayedChangeView>,
    /// Whether there are more.
    more_changes: bool,
    /// What limits would keep back, the first 200.
    held: Vec<ReplayedHoldView>,
    /// How many people would be evaluated soon after.
    later: i64,
    /// Whether the connector lets anything take effect: only while it is `active`.
    #[schema(schema_with = schema::connector_state)]
    state: ConnectorState,
    /// Whether it was tried as a replacement of the user that it made, since that one is there.
    as_replacement: bool,
    /// Whether something in it was secret and is not kept, so that `***` stood in its place.
    masked: bool,
}

/// What one operation would do.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ReplayedOperationView {
    /// The status of the answer; absent if it would not be begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The code of the error, if it would fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// What the error would say.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The SCIM `id` of the user or group.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What would be ignored, and why.
    #[schema(value_type = Vec<Object>)]
    warnings: Vec<Warning>,
    /// The user or group as it is in the source; absent if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// As it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// Of a group, how many members it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    members_before: Option<i64>,
    /// How many it would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    members_after: Option<i64>,
}

/// A change of the directory.
#[derive(Debug, Serialize, ToSchema)]
struct ReplayedChangeView {
    /// The name of the user that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// The name of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// The name of the group in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    child_group: Option<String>,
    /// What changes.
    #[schema(value_type = Object)]
    change: Change,
}

/// A change that limits would keep back.
#[derive(Debug, Serialize, ToSchema)]
struct ReplayedHoldView {
    /// `deactivation`, `membership_removal`, `group_deletion` or `rename`.
    #[schema(value_type = String)]
    kind: HoldKind,
    /// The name of the user; empty if it is about a group as a whole.
    user: String,
    /// The name of the group; empty if it is about none.
    group: String,
    /// What is kept back.
    #[schema(value_type = Object)]
    change: Change,
}

impl From<Replayed> for ReplayView {
    fn from(found: Replayed) -> Self {
        let operations = found.operations.into_iter();
        let changes = found.changes.into_iter();
        Self {
            operations: operations.map(ReplayedOperationView::from).collect(),
            changes: changes.map(ReplayedChangeView::from).collect(),
            more_changes: found.more_changes,
            held: found.held.into_iter().map(ReplayedHoldView::from).collect(),
            later: found.later,
            state: found.state,
            as_replacement: found.as_replacement,
            masked: found.masked,
        }
    }
}

impl From<ReplayedOperation> for ReplayedOperationView {
    fn from(operation: ReplayedOperation) -> Self {
        let members = |kept: &Option<KeptResource>| kept.as_ref().and_then(|kept| kept.members);
        let document = |kept: &Option<KeptResource>| {
            let document = kept.as_ref().map(|kept| kept.document.as_str());
            document.and_then(|text| serde_json::from_str(text).ok())
        };
        let about = Self {
            members_before: members(&operation.before),
            members_after: members(&operation.after),
            before: document(&operation.before),
            after: document(&operation.after),
            ..Self::default()
        };
        match operation.outcome {
            None => about,
            Some(Ok(done)) => Self {
                status: Some(done.status),
                id: Some(done.id),
                warnings: done.warnings,
                ..about
            },
            Some(Err(error)) => {
                let error = scim_error(error);
                Self {
                    status: Some(error.status),
                    code: Some(error.code),
                    detail: Some(error.detail),
                    ..about
                }
            }
        }
    }
}

impl From<ReplayedChange> for ReplayedChangeView {
    fn from(change: ReplayedChange) -> Self {
        Self {
            user: change.user,
            group: change.group,
            child_group: change.child_group,
            change: change.change,
        }
    }
}

impl From<StoredHold> for ReplayedHoldView {
    fn from(hold: StoredHold) -> Self {
        Self {
            kind: hold.kind,
            user: hold.user_name,
            group: hold.group,
            change: hold.change,
        }
    }
}

/// What a recorded request would do now, by the present rules and what is stored now. Nothing is written.
///
/// The request is carried out in a transaction, and all of it is taken back. A request that made a user is tried as a
/// replacement of that user while it is there. Secrets are not kept, so `***` stands for them; a request with a body longer
/// than what is kept, one that only reads, and one that was refused at the door cannot be tried: that is a 409.
#[utoipa::path(post, path = "/requests/{id}/replay", operation_id = "replay_request", tag = "requests",
    extensions(("x-changes" = json!("nothing"))),
    params(("id" = i64, Path, description = "Its number")),
    responses((status = OK, body = ReplayView)))]
async fn replay(
    _admin: Admin,
    State(app): State<App>,
    id: Segments<i64>,
) -> Answer<Json<ReplayView>> {
    app.flush_records().await;
    let found = app.provision().replay_request(id.0).await?;
    Ok(Json(found.into()))
}

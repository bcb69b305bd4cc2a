//! Recording reads: for some hours, what an identity provider reads is in the record of requests as well.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::request::{Body, Segments};
use super::{Answer, connectors};
use crate::App;
use crate::authority::Admin;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(record_reads))
}

/// For how long reads are to be recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecordingBody {
    /// Hours from now on, up to 168; 0 ends it at once.
    hours: u32,
}

/// Until when reads are recorded.
#[derive(Debug, Serialize, ToSchema)]
struct RecordingView {
    /// The moment; null if they are not.
    #[schema(value_type = Option<String>, format = DateTime)]
    reads_recorded_until: Option<Timestamp>,
}

/// Records what the identity provider reads, too, for some hours.
///
/// By default only writes and requests that failed are in the record. It ends by itself.
#[utoipa::path(put, path = "/connectors/{connector}/recording", operation_id = "record_reads", tag = "requests",
    params(("connector" = String, Path, description = "Its id or name")),
    request_body = RecordingBody,
    responses((status = OK, body = RecordingView)))]
async fn record_reads(
    _admin: Admin,
    State(app): State<App>,
    connector: Segments<String>,
    Body(body): Body<RecordingBody>,
) -> Answer<Json<RecordingView>> {
    let id = connectors::find_id(&app, &connector).await?;
    let until = app.provision().record_reads(id, body.hours).await?;
    Ok(Json(RecordingView {
        reads_recorded_until: until,
    }))
}

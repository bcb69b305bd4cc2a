//! The admin API: `/api/v1`.

mod problem;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use provision::ProvisionError;
use store::StoreError;

pub(crate) use problem::Problem;

use crate::App;
use crate::authority::require_admin;

/// The routes of this face. All but the description of the API need an administrator first.
pub(crate) fn routes(app: App) -> Router<App> {
    let inside = Router::new()
        .fallback(unknown)
        .layer(from_fn_with_state(app, require_admin));
    Router::new().nest("/api/v1", inside)
}

async fn unknown() -> Response {
    Problem::new(
        StatusCode::NOT_FOUND,
        "There is no such resource. The API is described at /api/v1/openapi.json.",
    )
    .into_response()
}

/// The OpenAPI document, as JSON.
pub(crate) fn openapi() -> String {
    "{}".to_owned()
}

/// What a failed use case means to a client of the admin API.
pub(crate) fn failure(error: &ProvisionError) -> Response {
    let (status, detail) = match error {
        ProvisionError::NotFound { .. } => (StatusCode::NOT_FOUND, error.to_string()),
        ProvisionError::Exists { .. } => (StatusCode::CONFLICT, error.to_string()),
        ProvisionError::Invalid { .. } | ProvisionError::Rules(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
        }
        ProvisionError::Store(
            StoreError::Busy | StoreError::Unavailable { .. } | StoreError::DiskFull,
        ) => {
            tracing::warn!(%error, "a request of the admin API had to be put off");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "The server cannot store anything at the moment. Try again later.".to_owned(),
            )
        }
        _ => {
            tracing::error!(%error, "a request of the admin API failed");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The server made a mistake. Its log tells more.".to_owned(),
            )
        }
    };
    Problem::new(status, detail).into_response()
}

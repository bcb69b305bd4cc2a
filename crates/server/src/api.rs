//! The admin API: `/api/v1`.

mod applications;
mod clients;
mod connectors;
mod directories;
mod document;
mod groups;
mod journal;
mod page;
mod presets;
mod problem;
mod request;
mod requests;
mod schema;
mod schemas;
mod sessions;
mod sign_in;
mod tokens;
mod users;
mod waiting;
mod walk;
mod webhooks;
mod why;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use directories::{DirectoryView, all_directories};
pub(crate) use problem::Problem;
pub use sessions::{FactorView, SessionView, live_sessions};
pub use why::{Explanation, LineView, explain_source_user, explain_user};

use crate::App;
use crate::authority::require_admin;

/// What a handler answers.
type Answer<T> = Result<T, Problem>;

/// The routes of this face. All but the description of the API need an administrator first.
pub(crate) fn routes(app: App) -> Router<App> {
    let (resources, mut document) = described().split_for_parts();
    document::complete(&mut document);
    let inside = resources
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app, require_admin));
    let document = text_of(&document);
    let description = get(move || async move {
        let kind = [(CONTENT_TYPE, "application/json")];
        (kind, document.clone())
    });
    Router::new()
        .route("/api/v1/openapi.json", description)
        .nest("/api/v1", inside)
}

/// The routes with their descriptions.
fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(document::Description::openapi())
        .merge(connectors::routes())
        .merge(presets::routes())
        .merge(tokens::routes())
        .merge(clients::routes())
        .merge(applications::routes())
        .merge(sign_in::routes())
        .merge(webhooks::routes())
        .merge(directories::routes())
        .merge(users::routes())
        .merge(sessions::routes())
        .merge(why::routes())
        .merge(groups::routes())
        .merge(journal::routes())
        .merge(schemas::routes())
        .merge(requests::routes())
        .merge(waiting::routes())
}

async fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "There is no such resource. The API is described at /api/v1/openapi.json.",
    )
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "The resource does not know this method. The API is described at /api/v1/openapi.json.",
    )
}

/// The OpenAPI document, as JSON.
pub(crate) fn openapi() -> String {
    let mut document = described().into_openapi();
    document::complete(&mut document);
    text_of(&document)
}

fn text_of(document: &utoipa::openapi::OpenApi) -> String {
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

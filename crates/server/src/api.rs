//! The admin API: `/api/v1`.

mod applications;
mod connectors;
mod directories;
mod groups;
mod journal;
mod page;
mod problem;
mod request;
mod schema;
mod tokens;
mod users;
mod walk;
mod why;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use provision::ProvisionError;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

pub(crate) use problem::Problem;

use crate::App;
use crate::authority::require_admin;

/// What a handler answers.
type Answer<T> = Result<T, Problem>;

/// The routes of this face. All but the description of the API need an administrator first.
pub(crate) fn routes(app: App) -> Router<App> {
    let (resources, document) = described().split_for_parts();
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
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(connectors::routes())
        .merge(tokens::routes())
        .merge(applications::routes())
        .merge(directories::routes())
        .merge(users::routes())
        .merge(why::routes())
        .merge(groups::routes())
        .merge(journal::routes())
}

/// What the document says about the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vestibule admin API",
        description = "Connectors, applications, directories and the journal. Every request bears a token \
                       of the admin API; errors are problem documents (RFC 9457) that say what to do.",
        version = "1",
    ),
    servers((url = "/api/v1")),
    tags(
        (name = "connectors", description = "Endpoints for identity providers, and their rules"),
        (name = "tokens", description = "Bearer tokens of connectors and of this API"),
        (name = "applications", description = "Products that attach a directory"),
        (name = "directories", description = "Users and groups as the products see them, and why"),
        (name = "journal", description = "What changed, in order"),
    ),
    security(("token" = [])),
    modifiers(&BearerToken),
)]
struct Description;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("token", scheme);
    }
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
    text_of(&described().into_openapi())
}

fn text_of(document: &utoipa::openapi::OpenApi) -> String {
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// What a failed use case means to a client of the admin API.
pub(crate) fn failure(error: &ProvisionError) -> Response {
    Problem::from(error).into_response()
}

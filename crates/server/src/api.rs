//! The admin API: `/api/v1`.

mod account;
mod administrators;
mod applications;
mod arriving;
mod audit;
mod backup;
mod checklist;
mod clients;
mod configuration;
mod connector_groups;
mod connectors;
mod console_sessions;
mod csv;
mod directories;
mod document;
mod groups;
mod history;
mod holds;
mod imports;
mod job_results;
mod jobs;
mod journal;
mod limits;
mod matches;
mod notifications;
mod open_id;
mod overrides;
mod overview;
mod page;
mod pilot;
mod precedence;
mod presets;
mod problem;
mod recording;
mod release;
mod replay;
mod request;
mod requests;
mod reserved_names;
mod rights;
mod rules;
mod schema;
mod schemas;
mod sessions;
mod setup_links;
mod sign_in;
mod sign_in_rules;
mod source_users;
mod staged_backup;
mod sticky;
mod subscriptions;
mod suppressed;
mod tokens;
mod undo;
mod users;
mod waiting;
mod webhooks;
mod whoever;
mod why;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use problem::{NAMES_TOLD, PLACES_TOLD, Problem, Why};
pub(crate) use request::{BODY_UNUSABLE, PARAMETERS_UNUSABLE};

use crate::App;
use crate::audit::{Auditor, enter};
use crate::authority::{decide, require_admin};
use crate::operations::Operations;

/// What a handler answers.
type Answer<T> = Result<T, Problem>;

/// Where this face begins.
pub(crate) const BASE: &str = "/api/v1";
/// Where files of any length are sent.
pub(crate) const UPLOADS: [&str; 2] = ["/api/v1/backup/check", "/api/v1/backup/staged"];

/// The routes of this face. All but the description of the API need an administrator first.
pub(crate) fn routes(app: App) -> Router<App> {
    let (resources, mut document) = described().split_for_parts();
    let operations = Operations::of(&document);
    document::complete(&mut document);
    let inside =
        inside(app.clone(), operations, resources).layer(from_fn_with_state(app, require_admin));
    let document = text_of(&document);
    let description = get(move || async move {
        let kind = [(CONTENT_TYPE, "application/json")];
        (kind, document.clone())
    });
    Router::new()
        .route("/api/v1/openapi.json", description)
        .nest(BASE, inside)
}

/// The same routes for a caller within this program; whoever serves them has to add the proof of authority.
pub(crate) fn unguarded_routes(app: App) -> Router<App> {
    let (resources, document) = described().split_for_parts();
    let operations = Operations::of(&document);
    Router::new().nest(BASE, inside(app, operations, resources))
}

/// Whoever is proven to be somebody comes through here: what that one may do is decided before any handler runs, and
/// what was changed, or refused, is entered into the audit log before it is answered.
fn inside(app: App, operations: Operations, resources: Router<App>) -> Router<App> {
    let decided = resources
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(
            (app.clone(), operations.clone()),
            decide,
        ));
    let auditor = Auditor::new(app, operations, decided.clone());
    decided.layer(from_fn_with_state(auditor, enter))
}

/// The routes with their descriptions.
fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(document::Description::openapi())
        .merge(connectors::routes())
        .merge(overview::routes())
        .merge(checklist::routes())
        .merge(setup_links::routes())
        .merge(pilot::routes())
        .merge(connector_groups::routes())
        .merge(source_users::routes())
        .merge(precedence::routes())
        .merge(presets::routes())
        .merge(rules::routes())
        .merge(tokens::routes())
        .merge(administrators::routes())
        .merge(console_sessions::routes())
        .merge(account::routes())
        .merge(sign_in_rules::routes())
        .merge(audit::routes())
        .merge(backup::routes())
        .merge(staged_backup::routes())
        .merge(open_id::routes())
        .merge(clients::routes())
        .merge(applications::routes())
        .merge(configuration::routes())
        .merge(sign_in::routes())
        .merge(webhooks::routes())
        .merge(directories::routes())
        .merge(imports::routes())
        .merge(users::routes())
        .merge(sessions::routes())
        .merge(why::routes())
        .merge(groups::routes())
        .merge(journal::routes())
        .merge(history::routes())
        .merge(undo::routes())
        .merge(overrides::routes())
        .merge(release::routes())
        .merge(replay::routes())
        .merge(jobs::routes())
        .merge(job_results::routes())
        .merge(schemas::routes())
        .merge(requests::routes())
        .merge(suppressed::routes())
        .merge(waiting::routes())
        .merge(reserved_names::routes())
        .merge(sticky::routes())
        .merge(holds::routes())
        .merge(limits::routes())
        .merge(matches::routes())
        .merge(notifications::routes())
        .merge(recording::routes())
        .merge(subscriptions::routes())
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

/// The OpenAPI document.
pub(crate) fn description() -> utoipa::openapi::OpenApi {
    let mut document = described().into_openapi();
    document::complete(&mut document);
    document
}

/// The same as JSON.
pub(crate) fn openapi() -> String {
    text_of(&description())
}

fn text_of(document: &utoipa::openapi::OpenApi) -> String {
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

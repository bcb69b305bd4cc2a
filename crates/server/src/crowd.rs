//! The Crowd face: what an Atlassian product asks of a Crowd server, answered from the directory.
//!
//! Mounted under `/rest/usermanagement/{version}` and the same below `/crowd`. Handlers are thin: they
//! understand the request with the crate `crowd`, read the store or ask `provision` for a local write, and
//! answer with a document or a [`Refusal`]. A refusal is rendered in one place, [`negotiate::finish`].

mod admin;
mod attribute;
mod authentication;
mod call;
mod event;
mod group;
mod listing;
mod local_user;
mod membership;
mod negotiate;
mod nesting;
mod question;
mod refusal;
mod reply;
mod search;
mod session;
mod stream;
mod throttle;
mod user;
mod view;
mod webhook;

use std::sync::Arc;

use ::crowd::transport::{API_VERSIONS, BASE_PATH, CONTEXT};
use ::crowd::{CrowdError, Format, Reason};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use store::StoreError;

use crate::App;
use crate::authority::require_application;

pub(crate) use negotiate::format_of;
pub(crate) use refusal::Refusal;
pub(crate) use session::prune as prune_sessions;
pub(crate) use view::{GateStanding, View};

/// What the handlers of this face share: the server, and what it remembers between requests.
#[derive(Clone)]
struct Face {
    app: App,
    listings: Arc<stream::Listings>,
    positions: Arc<event::Positions>,
    throttle: Arc<throttle::Throttle>,
}

/// All routes of this face, proof of authority included.
pub(crate) fn routes(app: App) -> Router<App> {
    let face = Face {
        app: app.clone(),
        listings: Arc::default(),
        positions: Arc::default(),
        throttle: Arc::default(),
    };
    let version = resources()
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn(only_known_versions));
    let mounted = Router::new()
        .nest(&format!("{BASE_PATH}/{{version}}"), version.clone())
        .nest(&format!("{CONTEXT}{BASE_PATH}/{{version}}"), version);
    let top = [BASE_PATH.to_owned(), format!("{CONTEXT}{BASE_PATH}")];
    // What is below the base but has no version: refused in this protocol's form, after the credentials.
    let mounted = top.iter().fold(mounted, |router, base| {
        router
            .route(base, axum::routing::any(unknown_path))
            .route(&format!("{base}/"), axum::routing::any(unknown_path))
            .route(
                &format!("{base}/{{version}}/"),
                axum::routing::any(unknown_path),
            )
    });
    mounted
        .merge(admin::routes())
        .with_state(face)
        .layer(from_fn_with_state(app, require_application))
        .layer(from_fn(negotiate::finish))
}

/// The resources of the API, below its version.
fn resources() -> Router<Face> {
    Router::new()
        .route("/user", users())
        .route("/user/rename", post(local_user::rename))
        .route("/user/attribute", user_attributes())
        .route("/user/password", user_password())
        .route("/user/mail/password", post(user::mail))
        .route("/user/mail/usernames", post(user::mail))
        .route(
            "/user/expire-all-passwords",
            post(local_user::expire_passwords),
        )
        .route("/user/avatar", get(user::avatar))
        .route("/user/group/direct", user_groups())
        .route("/user/group/nested", get(membership::groups_of_user_nested))
        .route("/group", groups())
        .route("/group/attribute", group_attributes())
        .route("/group/user/direct", group_users())
        .route("/group/user/nested", get(membership::users_of_group_nested))
        .route("/group/child-group/direct", child_groups())
        .route(
            "/group/child-group/nested",
            get(membership::child_groups_nested),
        )
        .route("/group/parent-group/direct", parent_groups())
        .route(
            "/group/parent-group/nested",
            get(membership::parent_groups_nested),
        )
        .route("/group/membership", get(membership::all))
        .route("/search", get(search::by_query).post(search::by_body))
        .route("/event", get(event::current))
        .route("/event/", get(event::without_token))
        .route("/event/{*token}", get(event::since))
        .route("/authentication", post(authentication::login))
        .route("/authentication/notify", post(authentication::notify))
        .route("/config/cookie", get(session::cookie))
        .route("/session", post(session::create).delete(session::end_all))
        .route("/session/{token}", sessions())
        .route("/webhook", post(webhook::create))
        .route("/webhook/{id}", get(webhook::show).delete(webhook::delete))
}

fn users() -> MethodRouter<Face> {
    get(user::get)
        .post(local_user::create)
        .put(local_user::change)
        .delete(local_user::remove)
}

fn user_password() -> MethodRouter<Face> {
    put(local_user::set_password).delete(local_user::remove_password)
}

fn user_attributes() -> MethodRouter<Face> {
    get(attribute::of_user)
        .post(attribute::set_of_user)
        .put(attribute::set_of_user)
        .delete(attribute::remove_of_user)
}

fn user_groups() -> MethodRouter<Face> {
    get(membership::groups_of_user)
        .post(membership::add_group_to_user)
        .delete(membership::remove)
}

fn groups() -> MethodRouter<Face> {
    get(group::get)
        .post(group::create)
        .put(group::change)
        .delete(group::remove)
}

fn group_attributes() -> MethodRouter<Face> {
    get(attribute::of_group)
        .post(attribute::set_of_group)
        .put(attribute::set_of_group)
        .delete(attribute::remove_of_group)
}

fn group_users() -> MethodRouter<Face> {
    get(membership::users_of_group)
        .post(membership::add_user_to_group)
        .delete(membership::remove)
}

fn child_groups() -> MethodRouter<Face> {
    get(membership::child_groups)
        .post(nesting::add_child)
        .delete(nesting::remove_child)
}

fn parent_groups() -> MethodRouter<Face> {
    get(membership::parent_groups)
        .post(nesting::add_parent)
        .delete(nesting::remove_parent)
}

fn sessions() -> MethodRouter<Face> {
    get(session::show)
        .post(session::validate)
        .delete(session::end)
}

/// Every version we have is the same one; what is none is no resource.
async fn only_known_versions(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let original = request.extensions().get::<axum::extract::OriginalUri>();
    let whole = original.map_or(path, |uri| uri.path());
    let after_base = whole
        .strip_prefix(CONTEXT)
        .unwrap_or(whole)
        .strip_prefix(BASE_PATH);
    let version = after_base
        .and_then(|rest| rest.split('/').nth(1))
        .unwrap_or_default();
    if API_VERSIONS.contains(&version) {
        next.run(request).await
    } else {
        axum::response::IntoResponse::into_response(unknown_path().await)
    }
}

async fn unknown_path() -> Refusal {
    let message = "There is no such resource in the Crowd REST API.";
    CrowdError::new(Reason::UnsupportedOperation, message)
        .with_status(404)
        .into()
}

async fn wrong_method(State(_face): State<Face>) -> Refusal {
    let message = "This resource does not know this method.";
    CrowdError::new(Reason::UnsupportedOperation, message)
        .with_status(405)
        .into()
}

/// A failure outside every handler.
pub(crate) fn failure(status: StatusCode, detail: &str, format: Format) -> Response {
    let error = CrowdError::new(Reason::OperationFailed, detail).with_status(status.as_u16());
    negotiate::render(&error, format)
}

/// What lies where a Crowd would have something, and is nothing here.
pub(crate) fn not_found(format: Format) -> Response {
    let message = "There is nothing here. The Crowd REST API is below /rest/usermanagement/1, with or without /crowd before it.";
    let error = CrowdError::new(Reason::UnsupportedOperation, message).with_status(404);
    negotiate::render(&error, format)
}

/// A failure of the store before a handler was reached.
pub(crate) fn store_failure(error: &StoreError, format: Format) -> Response {
    negotiate::render(&Refusal::from(error.clone()).into_error(), format)
}

//! The SCIM face: `/scim/v2/{connector}`.
//!
//! Handlers are thin: they read the request with the crate `scim`, ask `provision` for a write or read
//! the source, and answer. Everything they touch is confined to the connector of the [`ScimCaller`].

mod bulk;
mod cursor;
mod discovery;
mod groups;
mod gzip;
mod members;
mod page;
mod record;
mod reply;
mod request;
mod route;
mod search;
mod stream;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use percent_encoding::percent_decode_str;
use provision::ProvisionError;
use scim::ScimError;
use scim::catalogue::{self, Entry};
use store::StoreError;
use tokio::sync::Semaphore;

use crate::App;
use crate::authority::scim_caller;
use record::Arrived;
use reply::Reply;
use request::Call;
use route::Route;
use search::Searched;

/// The media type of every answer (RFC 7644 section 3.1).
pub(crate) const MEDIA_TYPE: &str = "application/scim+json";

/// What the handlers share.
#[derive(Clone)]
struct Face {
    app: App,
    long_answers: Arc<Semaphore>,
    hints: Arc<page::Hints>,
}

/// The routes of this face. Whatever is below a connector needs a caller first, unknown paths as well.
pub(crate) fn routes(app: App) -> Router<App> {
    let face = Face {
        app: app.clone(),
        long_answers: Arc::new(Semaphore::new(stream::LONG_ANSWERS_MAX)),
        hints: Arc::default(),
    };
    let base = "/scim/v2/{connector}";
    let below_connector = [base, &format!("{base}/"), &format!("{base}/{{*path}}")]
        .into_iter()
        .fold(Router::new(), |router, path| router.route(path, any(serve)))
        .with_state(face);
    ["/scim", "/scim/", "/scim/{*path}"]
        .into_iter()
        .fold(below_connector, |router, path| {
            router.route(path, any(outside))
        })
}

/// A path that names no connector: most often a base URL that was copied in part.
async fn outside() -> Response {
    error_response(&catalogue::BASE_ADDRESS_WRONG.error(
        "The base URL of a connector has the form https://<this server>/scim/v2/<connector>. Copy it as it is shown with the connector.",
    ))
}

async fn serve(State(face): State<Face>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // A path that is not UTF-8 names nothing.
    let path = parts.uri.path();
    if path.contains('%') && percent_decode_str(path).decode_utf8().is_err() {
        return outside().await;
    }
    let arrived = Arrived::now(&face.app);
    let (caller, _turn) = match scim_caller(&face.app, &parts).await {
        Ok(admitted) => admitted,
        Err(refusal) => return arrived.refused(&face.app, &parts, refusal),
    };
    let route = Route::of(below_base(parts.uri.path()));
    let call = Call::new(face, caller, parts);
    let reply = match &route {
        Route::Unknown => Err(unknown()),
        Route::Me => Err(nobody()),
        _ if call.method() == Method::OPTIONS => Ok(reply::options(route.methods())),
        _ if !route.methods().contains(call.method()) => {
            Ok(reply::wrong_method(call.method(), route.methods()))
        }
        _ => handle(&call, route, body).await,
    };
    let response = reply.unwrap_or_else(|error| error_response(&error));
    arrived.answered(&call, &response);
    gzip::compressed(&call.parts.headers, response).await
}

/// What follows `/scim/v2/{connector}` in a path.
fn below_base(path: &str) -> &str {
    path.splitn(5, '/').nth(4).unwrap_or_default()
}

async fn handle(call: &Call, route: Route, body: axum::body::Body) -> Reply {
    match (route, call.method().as_str()) {
        (Route::Users, "POST") => users::create(call, body).await,
        (Route::Users, _) => search::list(call, Searched::Users).await,
        (Route::Search(searched), _) => search::search(call, searched, body).await,
        (Route::Root, _) => search::list(call, Searched::All).await,
        (Route::User(id), "PUT") => users::replace(call, id, body).await,
        (Route::User(id), "PATCH") => users::patch(call, id, body).await,
        (Route::User(id), "DELETE") => users::delete(call, id).await,
        (Route::User(id), _) => users::get(call, &id).await,
        (Route::Groups, "POST") => groups::create(call, body).await,
        (Route::Groups, _) => search::list(call, Searched::Groups).await,
        (Route::Group(id), "PUT") => groups::replace(call, id, body).await,
        (Route::Group(id), "PATCH") => groups::patch(call, id, body).await,
        (Route::Group(id), "DELETE") => groups::delete(call, id).await,
        (Route::Group(id), _) => groups::get(call, &id).await,
        (Route::ServiceProviderConfig, _) => discovery::service_provider_config(call).await,
        (Route::ResourceTypes, _) => discovery::resource_types(call),
        (Route::ResourceType(name), _) => discovery::resource_type(call, &name),
        (Route::Schemas, _) => discovery::schemas(call),
        (Route::Schema(urn), _) => discovery::schema(call, &urn),
        (Route::Bulk, _) => bulk::carry_out(call, body).await,
        (Route::Me, _) => Err(nobody()),
        (Route::Unknown, _) => Err(unknown()),
    }
}

fn unknown() -> ScimError {
    catalogue::ENDPOINT_UNKNOWN.error(
        "There is no such endpoint. The endpoints are Users, Groups, .search, Bulk, ServiceProviderConfig, ResourceTypes and Schemas, below the base URL.",
    )
}

fn nobody() -> ScimError {
    catalogue::ME_NOT_OFFERED.error(
        "'/Me' stands for nobody here: a token belongs to a connector and to no user of it. Name the user by its id, or look it up with a filter.",
    )
}

/// The status of a kind of error.
pub(crate) fn status_of(entry: &Entry) -> StatusCode {
    StatusCode::from_u16(entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An error in SCIM's own form (RFC 7644 section 3.12). The error itself lies beside it, for the record of
/// requests and the figures.
pub(crate) fn error_response(error: &ScimError) -> Response {
    let status = status_of(error.entry);
    let mut response = (status, [(CONTENT_TYPE, MEDIA_TYPE)], error.to_json()).into_response();
    response.extensions_mut().insert(error.clone());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = axum::http::HeaderValue::from_static("10");
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

/// What a failed use case means to a SCIM client. Our own trouble is never the client's fault.
pub(crate) fn scim_error(error: ProvisionError) -> ScimError {
    match error {
        ProvisionError::Scim(error) => error,
        ProvisionError::Store(StoreError::Conflict { constraint }) => catalogue::VALUE_TAKEN.error(
            format!("The value is taken already ({constraint}). Look it up with a filter."),
        ),
        ProvisionError::Store(
            StoreError::Busy | StoreError::Unavailable { .. } | StoreError::DiskFull,
        ) => {
            tracing::warn!(%error, "a SCIM request had to be put off");
            catalogue::STORE_UNAVAILABLE.error(
                "The server cannot store anything at the moment. Try again later; nothing of the request happened.",
            )
        }
        other => {
            tracing::error!(error = %other, "a SCIM request failed");
            catalogue::INTERNAL_ERROR.error(
                "The server made a mistake. Nothing of the request was stored. The server's log tells more.",
            )
        }
    }
}

//! All routes, and what wraps them.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use ::crowd::Format;
use ::scim::ScimError;
use ::scim::catalogue::{self, Entry};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::FutureExt;
use uuid::{Uuid, fmt::Hyphenated};

use crate::forwarded::keep_trusted;
use crate::limits::{HANDLER_TIMEOUT, TARGET_BYTES_MAX, UPLOAD_TIMEOUT};
use crate::metrics::{Face, Refused, method_label};
use crate::request_line::BlankInTarget;
use crate::{App, api, crowd, front, health, oauth, scim, ui};

/// The header by which Crowd clients recognise a Crowd server; they look for it on every answer, errors
/// included, before they look at anything else.
const CROWD_VERSION: HeaderName = HeaderName::from_static("x-embedded-crowd-version");

/// The whole server as one service.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(front::page))
        .route("/front.css", get(ui::assets::front))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(scim::routes(app.clone()))
        .merge(oauth::routes())
        .merge(crowd::routes(app.clone()))
        .merge(api::routes(app.clone()))
        .merge(ui::routes(app.clone()))
        .fallback(not_found)
        .layer(from_fn_with_state(app.clone(), around))
        .with_state(app)
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// What no page asks a browser for.
const NO_PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), \
                              microphone=(), midi=(), payment=(), usb=()";
/// For a year, browsers come over HTTPS alone.
const ALWAYS_HTTPS: &str = "max-age=31536000; includeSubDomains";

async fn not_found(request: Request) -> Response {
    if Face::of(request.uri().path()) == Face::Crowd {
        return crowd::not_found(crowd::format_of(request.headers()));
    }
    (
        StatusCode::NOT_FOUND,
        "There is nothing here. The page at / tells the addresses.\n",
    )
        .into_response()
}

/// What wraps every request: an id, a time limit, headers, figures. One layer, because each costs every request.
async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let face = Face::of(request.uri().path());
    let method = method_label(request.method());
    let format = format_of(face, &request);
    let started = Instant::now();
    // Made here: an id that a client chose could pose as another request in the journal.
    let id = request_id(app.provision().store().new_request_id());
    request.headers_mut().insert(REQUEST_ID, id.clone());
    keep_trusted(&app.inner().settings, &mut request);
    let is_https = app.is_https(request.headers());
    let mut response = if is_too_long(&request) {
        app.inner().metrics.refused(Refused::Target);
        failure(face, format, &catalogue::ADDRESS_TOO_LONG, TOO_LONG)
    } else if request.extensions().get::<BlankInTarget>().is_some() {
        failure(face, format, &catalogue::ADDRESS_WITH_BLANK, BLANK)
    } else {
        within_time(face, format, request, next).await
    };
    add_headers(&app, face, response.headers_mut());
    if is_https {
        let always = HeaderValue::from_static(ALWAYS_HTTPS);
        response
            .headers_mut()
            .insert(STRICT_TRANSPORT_SECURITY, always);
    }
    response.headers_mut().insert(REQUEST_ID, id);
    let (took, status) = (started.elapsed(), response.status().as_u16());
    app.inner().metrics.request(face, method, status, took);
    let error = response.extensions().get::<ScimError>();
    let code = error.map(|error| error.code);
    if let Some(code) = code {
        app.inner().metrics.scim_error(code);
    }
    tracing::debug!(?face, method, status, code, ?took, "answered");
    response
}

const BLANK: &str = "The address of the request has a blank in it. Encode it: a blank as %20 or +, a quotation mark as %22.";

const TOO_LONG: &str = "Path and query are longer than 16 KiB. Ask for less at a time.";

fn is_too_long(request: &Request) -> bool {
    let target = request.uri().path_and_query();
    target.is_some_and(|target| target.as_str().len() > TARGET_BYTES_MAX)
}

/// In which format the Crowd face has to answer whatever happens; the others have one only.
fn format_of(face: Face, request: &Request) -> Format {
    match face {
        Face::Crowd => crowd::format_of(request.headers()),
        _ => Format::Xml,
    }
}

fn request_id(id: Uuid) -> HeaderValue {
    let mut text = [0; Hyphenated::LENGTH];
    let id: &str = id.as_hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static(""))
}

/// Every answer, whatever happened inside, has the headers that make it safe, and for Crowd
/// clients the one that makes it credible.
fn add_headers(app: &App, face: Face, headers: &mut HeaderMap) {
    let mut set = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Pages tell themselves where a form came from, and nobody else.
    let referrer = if face == Face::Other {
        "same-origin"
    } else {
        "no-referrer"
    };
    set(REFERRER_POLICY, referrer);
    set(RESOURCE_POLICY, "same-origin");
    if face == Face::Other {
        set(OPENER_POLICY, "same-origin");
        set(PERMISSIONS_POLICY, NO_PERMISSIONS);
    }
    match face {
        Face::Crowd => {
            set(CACHE_CONTROL, ::crowd::transport::CACHE_CONTROL);
        }
        _ => set(CACHE_CONTROL, "no-store"),
    }
    let policy = match face {
        Face::Other => {
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        }
        _ => "default-src 'none'; frame-ancestors 'none'",
    };
    set(CONTENT_SECURITY_POLICY, policy);
    if face == Face::Crowd {
        let version = HeaderValue::from_str(app.crowd_version());
        let version = version.unwrap_or(HeaderValue::from_static("Vestibule"));
        headers.insert(CROWD_VERSION, version);
    }
}

/// A panic or a handler that takes too long is answered in the form of its face. A write that has
/// begun runs on when its time is over or its client is gone: it is never cut in the middle.
async fn within_time(face: Face, format: Format, request: Request, next: Next) -> Response {
    let reads_only = request.method().is_safe();
    let time = match is_upload(&request) {
        true => UPLOAD_TIMEOUT,
        false => HANDLER_TIMEOUT,
    };
    let answering = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answer = if reads_only {
        tokio::time::timeout(time, answering).await
    } else {
        let running = tokio::spawn(answering);
        let joined = tokio::time::timeout(time, running).await;
        joined.map(|joined| joined.unwrap_or_else(|error| Err(Box::new(error))))
    };
    match answer {
        Ok(Ok(response)) => response,
        Ok(Err(_panic)) => {
            tracing::error!("a handler panicked; the panic itself is in the log before this line");
            failure(face, format, &catalogue::INTERNAL_ERROR, PANICKED)
        }
        Err(_elapsed) => failure(
            face,
            format,
            &catalogue::TOOK_TOO_LONG,
            "The request took too long. Nothing is known of its outcome; look, and try again.",
        ),
    }
}

/// Whether a file is sent, which may be long: by a form of the console, or to the admin API.
fn is_upload(request: &Request) -> bool {
    let path = request.uri().path();
    let kind = request.headers().get(CONTENT_TYPE);
    let is_form = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"));
    api::UPLOADS.contains(&path) || (is_form && path.starts_with("/console/"))
}

const PANICKED: &str =
    "The server made a mistake. Nothing of the request was stored. The server's log tells more.";

/// A failure outside every handler, in the form of the face it happened at.
fn failure(face: Face, format: Format, entry: &'static Entry, detail: &str) -> Response {
    let status = scim::status_of(entry);
    let mut response = match face {
        Face::Scim => scim::error_response(&entry.error(detail)),
        Face::Crowd => crowd::failure(status, detail, format),
        Face::Api | Face::Other => api::Problem::new(status, detail).into_response(),
    };
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("10"));
    }
    response
}

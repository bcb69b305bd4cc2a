//! What is recorded of a SCIM request: every write, and every request that failed.

use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{LOCATION, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use directory::ConnectorId;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use scim::{ScimError, Warning};
use serde_json::Value;
use store::RequestRecord;

use crate::App;
use crate::authority::{ScimCaller, request_id};
use crate::record::{Answered, BODY_READ_BYTES_MAX, Owner, redacted_path};

/// Warnings of one request that are recorded; a group of thousands may name thousands of strangers.
const WARNINGS_MAX: usize = 50;
/// Longest name of a client, in characters.
const CLIENT_CHARS_MAX: usize = 200;
/// Largest refusal, in bytes.
const REFUSAL_BYTES_MAX: usize = 8 * 1024;

/// What handlers leave for the record.
#[derive(Default)]
pub(super) struct Notes {
    inner: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    warnings: Vec<Warning>,
    body: Option<Bytes>,
    body_cut: bool,
}

impl Notes {
    /// Keeps what was ignored.
    pub(super) fn warn(&self, warnings: &[Warning]) {
        if warnings.is_empty() {
            return;
        }
        let mut noted = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let room = WARNINGS_MAX.saturating_sub(noted.warnings.len());
        noted.warnings.extend(warnings.iter().take(room).cloned());
    }

    /// Keeps the body, of a long one the beginning.
    pub(super) fn body(&self, bytes: &Bytes) {
        let mut noted = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        noted.body_cut = bytes.len() > BODY_READ_BYTES_MAX;
        noted.body = Some(match bytes.get(..BODY_READ_BYTES_MAX) {
            // A slice would keep the whole body in memory.
            Some(beginning) if noted.body_cut => Bytes::copy_from_slice(beginning),
            _ => bytes.clone(),
        });
    }

    fn take(&self) -> Noted {
        std::mem::take(&mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A request on its way.
pub(super) struct Asked {
    at: Timestamp,
    method: Method,
    uri: Uri,
    client: Option<HeaderValue>,
}

/// Marks an answer whose request is recorded, or needn't be.
#[derive(Clone, Copy)]
struct Seen;

impl Asked {
    /// A request that may have to be recorded. A read is looked at again only if it fails.
    pub(super) fn new(app: &App, method: &Method, uri: &Uri, headers: &HeaderMap) -> Asked {
        Asked {
            at: app.provision().store().now(),
            method: method.clone(),
            uri: uri.clone(),
            client: headers.get(USER_AGENT).cloned(),
        }
    }

    /// Microseconds since it arrived.
    fn took(&self, app: &App) -> i64 {
        let now = app.provision().store().now();
        now.as_microsecond() - self.at.as_microsecond()
    }

    fn client(&self) -> String {
        let text = self.client.as_ref().and_then(|value| value.to_str().ok());
        let text = text.unwrap_or_default().chars();
        text.take(CLIENT_CHARS_MAX).collect()
    }

    /// Records the request if it wrote or failed.
    pub(super) fn answered(
        self,
        app: &App,
        caller: &ScimCaller,
        notes: &Notes,
        error: Option<&ScimError>,
        response: &mut Response,
    ) {
        response.extensions_mut().insert(Seen);
        let status = response.status().as_u16();
        let meaning = Meaning::of(&self.method, self.uri.path());
        if status < 400 && !meaning.writes {
            return;
        }
        let noted = notes.take();
        let location = response.headers().get(LOCATION);
        let made = location
            .and_then(|url| url.to_str().ok())
            .and_then(|url| url.rsplit('/').next())
            .map(str::to_owned);
        let record = RequestRecord {
            id: 0,
            connector: caller.connector.connector.id,
            at: self.at,
            took: self.took(app),
            request: caller.cause.request.clone(),
            method: self.method.as_str().to_owned(),
            path: redacted_path(&below(&self.uri), self.uri.query()),
            operation: meaning.operation.to_owned(),
            status,
            resource_type: meaning.resource_type.map(str::to_owned),
            resource_id: meaning.resource_id.or(made),
            resource_name: None,
            scim_type: error
                .and_then(|error| error.scim_type)
                .map(|keyword| keyword.as_str().to_owned()),
            detail: error.map(|error| error.detail.clone()),
            warnings: noted.warnings,
            token: Some(caller.credential_id.clone()).filter(|id| !id.is_empty()),
            actor: caller.cause.actor.clone(),
            client: self.client(),
            body_cut: noted.body_cut,
            body: None,
        };
        let connector = &caller.connector;
        app.keep_record(Answered {
            owner: Owner::Known(connector.connector.id, connector.types.clone()),
            record,
            body: noted.body,
        });
    }
}

/// The path below the base URL.
fn below(uri: &Uri) -> String {
    format!("/{}", super::below_base(uri.path()))
}

/// What a request asks for, whether or not it is offered.
struct Meaning {
    operation: &'static str,
    writes: bool,
    resource_type: Option<&'static str>,
    resource_id: Option<String>,
}

impl Meaning {
    fn of(method: &Method, path: &str) -> Meaning {
        let mut segments = super::below_base(path)
            .split('/')
            .filter(|segment| !segment.is_empty());
        let first = segments.next().unwrap_or_default().to_ascii_lowercase();
        let second = segments.next();
        let is_search = first == ".search" || second.is_some_and(|segment| segment == ".search");
        let id = second.filter(|_| !is_search && segments.next().is_none());
        let is_user = first == "users";
        let operation = match (first.as_str(), method.as_str()) {
            _ if is_search => "search",
            ("bulk", _) => "bulk",
            ("me", _) => "me",
            ("users", "POST") if id.is_none() => "create_user",
            ("users", "PUT") => "replace_user",
            ("users", "PATCH") => "patch_user",
            ("users", "DELETE") => "delete_user",
            ("users", _) if id.is_none() => "list_users",
            ("users", _) => "get_user",
            ("groups", "POST") if id.is_none() => "create_group",
            ("groups", "PUT") => "replace_group",
            ("groups", "PATCH") => "patch_group",
            ("groups", "DELETE") => "delete_group",
            ("groups", _) if id.is_none() => "list_groups",
            ("groups", _) => "get_group",
            (
                "serviceproviderconfig" | "serviceproviderconfigs" | "resourcetypes" | "schemas",
                _,
            ) => "discovery",
            _ => "unknown",
        };
        let is_resource = is_user || first == "groups";
        Meaning {
            operation,
            writes: !method.is_safe() && !is_search,
            resource_type: is_resource.then_some(if is_user { "User" } else { "Group" }),
            resource_id: id.filter(|_| is_resource).and_then(|id| {
                let id = percent_decode_str(id).decode_utf8().ok()?;
                (id.len() <= 200 && !id.contains(char::is_control)).then(|| id.into_owned())
            }),
        }
    }
}

/// Records requests that were refused before a connector's door: most often a wrong token. Nothing of
/// what they sent is kept but the path.
pub(super) async fn refusals(State(app): State<App>, request: Request, next: Next) -> Response {
    let named = request.uri().path().split('/').nth(3);
    let Some(named) = named.filter(|named| named.len() <= 64).map(str::to_owned) else {
        return next.run(request).await;
    };
    let asked = Asked::new(&app, request.method(), request.uri(), request.headers());
    let id = request_id(request.headers());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    if !matches!(status, 401 | 403) || response.extensions().get::<Seen>().is_some() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, REFUSAL_BYTES_MAX).await.unwrap_or_default();
    let told: Option<Value> = serde_json::from_slice(&bytes).ok();
    let detail = told.and_then(|told| Some(told.get("detail")?.as_str()?.to_owned()));
    app.keep_record(Answered {
        owner: Owner::Named(named),
        record: RequestRecord {
            id: 0,
            // Found when it is written down.
            connector: ConnectorId(0),
            at: asked.at,
            took: asked.took(&app),
            request: id,
            method: asked.method.as_str().to_owned(),
            path: redacted_path(&below(&asked.uri), asked.uri.query()),
            operation: "refused".to_owned(),
            status,
            resource_type: None,
            resource_id: None,
            resource_name: None,
            scim_type: None,
            detail,
            warnings: Vec::new(),
            token: None,
            actor: String::new(),
            client: asked.client(),
            body_cut: false,
            body: None,
        },
        body: None,
    });
    Response::from_parts(parts, Body::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_understood_as_they_are_meant() {
        let of = |method: &str, path: &str| {
            let path = format!("/scim/v2/c{path}");
            let meaning = Meaning::of(&method.parse().unwrap(), &path);
            (meaning.operation, meaning.writes, meaning.resource_id)
        };
        let id = |id: &str| Some(id.to_owned());
        for (method, path, expected) in [
            ("POST", "/Users", ("create_user", true, None)),
            ("GET", "/users?x", ("list_users", false, None)),
            ("PATCH", "//Groups/7/", ("patch_group", true, id("7"))),
            ("DELETE", "/Users/a%20b", ("delete_user", true, id("a b"))),
            ("POST", "/Users/.search", ("search", false, None)),
            ("POST", "/.search", ("search", false, None)),
            ("POST", "/Bulk", ("bulk", true, None)),
            ("GET", "/Schemas/urn:x", ("discovery", false, None)),
            ("GET", "/Users/a%00", ("get_user", false, None)),
            ("GET", "", ("unknown", false, None)),
        ] {
            let path = path.split('?').next().unwrap();
            assert_eq!(of(method, path), expected, "{method} {path}");
        }
    }
}

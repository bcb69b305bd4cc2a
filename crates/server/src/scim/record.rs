//! What is recorded of a SCIM request: every write, every request that failed, and reads while somebody wants to see them.

use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::header::{LOCATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use directory::ConnectorId;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use scim::{ScimError, Warning};
use store::RequestRecord;

use super::request::Call;
use crate::App;
use crate::authority::request_id;
use crate::record::{Answered, BODY_READ_BYTES_MAX, Owner, redacted_path};

/// Warnings of one request that are recorded; a group of thousands may name thousands of strangers.
const WARNINGS_MAX: usize = 50;
/// Longest name of a client, in characters.
const CLIENT_CHARS_MAX: usize = 200;

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

/// When a request arrived.
#[derive(Clone, Copy)]
pub(super) struct Arrived(Timestamp);

impl Arrived {
    pub(super) fn now(app: &App) -> Arrived {
        Arrived(app.provision().store().now())
    }

    /// Microseconds since then.
    fn took(self, app: &App) -> i64 {
        let now = app.provision().store().now();
        now.as_microsecond() - self.0.as_microsecond()
    }

    /// Records the request if it wrote or failed, or if somebody wants to see reads as well.
    pub(super) fn answered(self, call: &Call, response: &Response) {
        let (app, caller) = (&call.face.app, &call.caller);
        let Parts {
            method,
            uri,
            headers,
            ..
        } = &call.parts;
        let error = response.extensions().get::<ScimError>();
        let status = response.status().as_u16();
        let meaning = Meaning::of(method, uri.path());
        let reads = caller.connector.reads_recorded;
        if status < 400 && !meaning.writes && reads.is_none_or(|until| self.0 >= until) {
            return;
        }
        let noted = call.notes.take();
        let location = response.headers().get(LOCATION);
        let made = location
            .and_then(|url| url.to_str().ok())
            .and_then(|url| url.rsplit('/').next())
            .map(str::to_owned);
        let hidden = Vec::from_iter(caller.connector.rules.hidden_sources());
        let known = Some((&*caller.connector.types, hidden.as_slice()));
        let record = RequestRecord {
            id: 0,
            connector: caller.connector.connector.id,
            at: self.0,
            took: self.took(app),
            request: caller.cause.request.clone(),
            method: method.as_str().to_owned(),
            path: redacted_path(&below(uri), uri.query(), known),
            operation: meaning.operation.to_owned(),
            status,
            resource_type: meaning.resource_type.map(str::to_owned),
            resource_id: meaning.resource_id.or(made),
            resource_name: None,
            code: error.map(|error| error.code.to_owned()),
            detail: error.map(|error| error.detail.clone()),
            warnings: noted.warnings,
            token: Some(caller.credential_id.clone()).filter(|id| !id.is_empty()),
            actor: caller.cause.actor.clone(),
            client: client(headers),
            body_cut: noted.body_cut,
            body: None,
        };
        let connector = &caller.connector;
        app.keep_record(Answered {
            owner: Owner::Known(connector.connector.id, connector.types.clone(), hidden),
            record,
            body: noted.body,
        });
    }

    /// Records a request that was refused before a connector's door: most often a wrong token. Nothing of
    /// what it sent is kept but the path.
    pub(super) fn refused(self, app: &App, request: &Parts, response: Response) -> Response {
        let status = response.status().as_u16();
        let named = request.uri.path().split('/').nth(3);
        let Some(named) = named.filter(|named| named.len() <= 64 && matches!(status, 401 | 403))
        else {
            return response;
        };
        let error = response.extensions().get::<ScimError>();
        app.keep_record(Answered {
            owner: Owner::Named(named.to_owned()),
            record: RequestRecord {
                id: 0,
                // Found when it is written down.
                connector: ConnectorId(0),
                at: self.0,
                took: self.took(app),
                request: request_id(&request.headers),
                method: request.method.as_str().to_owned(),
                path: redacted_path(&below(&request.uri), request.uri.query(), None),
                operation: "refused".to_owned(),
                status,
                resource_type: None,
                resource_id: None,
                resource_name: None,
                code: error.map(|error| error.code.to_owned()),
                detail: error.map(|error| error.detail.clone()),
                warnings: Vec::new(),
                token: None,
                actor: String::new(),
                client: client(&request.headers),
                body_cut: false,
                body: None,
            },
            body: None,
        });
        response
    }
}

fn client(headers: &HeaderMap) -> String {
    let text = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    text.unwrap_or_default()
        .chars()
        .take(CLIENT_CHARS_MAX)
        .collect()
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

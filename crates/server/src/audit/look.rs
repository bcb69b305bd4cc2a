//! Looks at what a request changes, before and after: at the object as the caller may see it, by the routes of the admin API.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;
use tokio::sync::OwnedMutexGuard;
use tower::ServiceExt;

use super::{Auditor, Changes};
use crate::authority::Admin;
use crate::forwarded::passed_on;
use crate::operations::Effect;

/// A longer object is not compared.
const OBJECT_BYTES_MAX: usize = 1024 * 1024;
/// How long a request waits for others that change the same. It goes on then, and may be told to have changed what they did.
const TURN_WAIT: Duration = Duration::from_secs(5);

/// Requests that change things of one kind follow each other, so that what one did is not told of another.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits for the turn at objects of a route. The kinds are the first segments of the routes, so there are few.
    async fn take(&self, route: &str) -> Option<OwnedMutexGuard<()>> {
        let kind = route.split('/').nth(1).unwrap_or_default();
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(kind.to_owned()).or_default())
        };
        let taken = tokio::time::timeout(TURN_WAIT, turn.lock_owned()).await;
        taken.ok()
    }
}

/// Reads objects of the admin API.
#[derive(Clone)]
pub(super) struct Sight(Router);

impl Sight {
    pub(super) fn new(routes: Router) -> Self {
        Self(routes)
    }

    /// The object at a path; null if there is none, and nothing if it cannot be looked at.
    async fn object(&self, caller: &Caller, path: &str) -> Option<Value> {
        let mut request = Request::get(path).body(Body::empty()).ok()?;
        *request.headers_mut() = caller.headers.clone();
        request.extensions_mut().insert(caller.admin.clone());
        let Ok(answer) = self.0.clone().oneshot(request).await;
        match answer.status() {
            StatusCode::NOT_FOUND => return Some(Value::Null),
            StatusCode::OK => {}
            _ => return None,
        }
        let bytes = to_bytes(answer.into_body(), OBJECT_BYTES_MAX).await.ok()?;
        let object: Value = serde_json::from_slice(&bytes).ok()?;
        object.is_object().then_some(object)
    }
}

/// Who looks, and how the server was reached.
pub(super) struct Caller {
    admin: Admin,
    headers: HeaderMap,
}

impl Caller {
    pub(super) fn new(admin: Admin, headers: &HeaderMap) -> Self {
        Self {
            admin,
            headers: passed_on(headers),
        }
    }
}

/// What was seen before.
pub(super) struct Look {
    caller: Caller,
    found: Found,
    _turn: Option<OwnedMutexGuard<()>>,
}

enum Found {
    /// Nothing that can be compared.
    Nothing,
    /// The object that will be at this path.
    Object(String, Value),
    /// An object that will not be there any more, even if that takes a while.
    Going(Value),
    /// The list at a path, into which one is put; its id is the answer's member of one of these names.
    List(String, [String; 2]),
}

/// What was seen after.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) changes: Option<Changes>,
    /// The id of what was made.
    pub(super) made: Option<String>,
}

impl Auditor {
    /// Looks before a request is carried out.
    pub(super) async fn look(&self, effect: &Effect, caller: Caller, path: &str) -> Look {
        let (route, is_going) = match effect {
            Effect::Nothing | Effect::Hidden => return Look::nothing(caller),
            Effect::Made(route) => {
                let name = route.rsplit_once("/{").map_or("", |(_, name)| name);
                let name = format!("{}_id", name.trim_end_matches('}'));
                let found = Found::List(path.to_owned(), ["id".to_owned(), name]);
                return Look {
                    found,
                    ..Look::nothing(caller)
                };
            }
            Effect::Object(route) => (route, false),
            Effect::Gone(route) => (route, true),
        };
        let turn = self.app.inner().turns.take(route).await;
        let path = at(path, route);
        let found = match (self.sight.object(&caller, &path).await, is_going) {
            (Some(object), true) => Found::Going(object),
            (Some(object), false) => Found::Object(path_since(&path, route, &object), object),
            (None, _) => Found::Nothing,
        };
        Look {
            caller,
            found,
            _turn: turn,
        }
    }
}

impl Look {
    fn nothing(caller: Caller) -> Self {
        Self {
            caller,
            found: Found::Nothing,
            _turn: None,
        }
    }

    /// Looks again after the request was carried out, with what it was answered.
    pub(super) async fn again(self, sight: &Sight, answer: &mut Response) -> Seen {
        let (before, path, made) = match self.found {
            Found::Nothing => return Seen::default(),
            Found::Going(before) => {
                return Seen {
                    changes: Some(Changes::between(before, Value::Null)),
                    made: None,
                };
            }
            Found::Object(path, before) => (before, path, None),
            // What was made is read like everything else: secrets that are shown once are only in the answer.
            Found::List(path, names) => match id_in(answer, &names).await {
                Some(id) => (Value::Null, format!("{path}/{id}"), Some(id)),
                None => return Seen::default(),
            },
        };
        let after = sight.object(&self.caller, &path).await;
        Seen {
            changes: after.map(|after| Changes::between(before, after)),
            made,
        }
    }
}

/// Where an object is after a change that may be of its name: a thing in a list is at its id.
fn path_since(path: &str, route: &str, object: &Value) -> String {
    let id = ["id", "key"]
        .into_iter()
        .find_map(|name| plain_id(object.get(name)?));
    match (path.rsplit_once('/'), id) {
        (Some((list, _)), Some(id)) if route.ends_with('}') => format!("{list}/{id}"),
        _ => path.to_owned(),
    }
}

/// An id that need not be encoded in a path, as all are that are made here.
fn plain_id(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    id.chars().all(is_plain).then_some(id)
}

/// The part of a path that a route is.
fn at(path: &str, route: &str) -> String {
    let many = route.split('/').count();
    let segments: Vec<&str> = path.split('/').take(many).collect();
    segments.join("/")
}

/// The id in an answer, which stays as it is.
async fn id_in(answer: &mut Response, names: &[String]) -> Option<String> {
    let is_short = |most: u64| most <= OBJECT_BYTES_MAX as u64;
    if !answer.body().size_hint().upper().is_some_and(is_short) {
        return None;
    }
    let body = std::mem::take(answer.body_mut());
    let bytes = to_bytes(body, OBJECT_BYTES_MAX).await.ok()?;
    let found: Option<Value> = serde_json::from_slice(&bytes).ok();
    *answer.body_mut() = Body::from(bytes);
    let found = found?;
    names.iter().find_map(|name| plain_id(found.get(name)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_found_again_whatever_its_name_is_since() {
        let object = serde_json::json!({"id": "c1", "name": "okta"});
        let since = |path, route| path_since(path, route, &object);
        assert_eq!(
            since("/connectors/okta", "/connectors/{connector}"),
            "/connectors/c1"
        );
        assert_eq!(since("/sign-in", "/sign-in"), "/sign-in");
        let schema = serde_json::json!({"id": "urn:x"});
        let route = "/connectors/{connector}/schemas/{urn}";
        let path = "/connectors/okta/schemas/urn%3Ax";
        assert_eq!(path_since(path, route, &schema), path);
    }

    #[test]
    fn the_object_is_the_beginning_of_the_path() {
        let path = "/connectors/okta%20eu/rules/apply";
        assert_eq!(at(path, "/connectors/{connector}"), "/connectors/okta%20eu");
        assert_eq!(
            at(path, "/connectors/{connector}/rules"),
            "/connectors/okta%20eu/rules"
        );
        assert_eq!(at("/sign-in", "/sign-in"), "/sign-in");
    }
}

//! Somebody signed in who asks the admin API.

use std::net::IpAddr;

use axum::body::{Body, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::header::{LOCATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use provision::{NewSession, needs_proof};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::{ActorKind, Administrator, Browser, Rights, Role, Stage};

use super::form::Fields;
use super::page::{Shell, Trouble};
use super::refused::refused;
use super::told::told;
use super::upload::Upload;
use super::when::When;
use super::{SIGN_IN, Ui, account, back, entry, session};
use crate::authority::{Admin, request_id};
use crate::forwarded::{client_address, passed_on};
use crate::limits::API_BODY_BYTES_MAX;
use crate::local::Caller;

/// What is encoded in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What the console's script sends when a page looks for news by itself: nobody uses the session by that.
const BY_ITSELF: &str = "x-by-itself";

/// Longest name of a browser that is kept, in characters.
const AGENT_CHARS_MAX: usize = 300;

/// The proof that a page is shown to an administrator, and the way to the admin API in that name.
pub(super) struct Desk {
    pub(super) ui: Ui,
    who: Administrator,
    pub(super) session: String,
    /// The id of the session.
    session_id: String,
    /// Where this request arrived.
    pub(super) path: String,
    /// What was just done, for the page that is shown after it.
    done: Option<String>,
    /// Why what was wanted could not be done, for the page that it came from.
    wrong: Option<Trouble>,
    caller: Caller,
    headers: HeaderMap,
    now: Timestamp,
    private: bool,
    /// Whether the password was last shown too long ago for what gives rights away.
    pub(super) needs_proof: bool,
}

/// A session in the place of one that ended.
pub(super) struct Renewed(NewSession);

/// An answer of the admin API with items and perhaps more to come.
#[derive(Deserialize)]
pub(super) struct Listed<T> {
    pub(super) items: Vec<T>,
    #[serde(default)]
    pub(super) next: Option<Value>,
}

/// Something of which only the name is wanted.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

impl<T> Listed<T> {
    /// What to ask for the next page.
    pub(super) fn after(&self) -> Option<String> {
        match self.next.as_ref()? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// The address of the next page of a list at this place; none if this is the last. The query is the one that was asked
    /// with: where this page began, and how long it is, is not said again.
    pub(super) fn more(&self, place: &str, query: &[(&str, &str)]) -> Option<String> {
        let after = self.after()?;
        let same =
            |(name, value): &&(&str, &str)| !value.is_empty() && !["after", "limit"].contains(name);
        let mut next: Vec<String> = query
            .iter()
            .filter(same)
            .map(|(name, value)| format!("{name}={}", segment(value)))
            .collect();
        next.push(format!("after={}", segment(&after)));
        Some(format!("{place}?{}", next.join("&")))
    }
}

impl FromRequestParts<Ui> for Desk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Response> {
        let app = &ui.app;
        let Some(session) = session::shown(app, &parts.headers) else {
            return Err(to_sign_in(parts));
        };
        let found = match parts.headers.contains_key(BY_ITSELF) {
            true => app.provision().watched_session(&session).await,
            false => app.provision().administrator_session(&session).await,
        };
        let signed_in = match found {
            Ok(Some(found)) => found,
            Ok(None) => return Err(to_sign_in(parts)),
            Err(error) => {
                tracing::error!(%error, "a session of the console cannot be looked up");
                return Err(Trouble::ours().alone());
            }
        };
        let now = app.provision().store().now();
        let needs_proof = needs_proof(&signed_in, now);
        let (who, stage) = (signed_in.administrator, signed_in.stage);
        match stage {
            Stage::Full => {}
            Stage::Code => return Err(see(entry::CODE)),
            Stage::Enrol if parts.uri.path().starts_with(account::PLACE) => {}
            Stage::Enrol => return Err(see(account::PLACE)),
        }
        Ok(Self {
            caller: Caller {
                proof: Admin {
                    name: who.name.clone(),
                    request: request_id(&parts.headers),
                    rights: who.rights.clone(),
                    kind: ActorKind::Administrator,
                    id: Some(who.id.clone()),
                    address: client_address(
                        &app.inner().settings,
                        &parts.extensions,
                        &parts.headers,
                    ),
                    account_only: stage == Stage::Enrol,
                },
                headers: passed_on(&parts.headers),
            },
            private: session::is_private(app, &parts.headers),
            headers: parts.headers.clone(),
            now,
            needs_proof,
            ui: ui.clone(),
            done: told(app, &parts.method, &parts.headers, &session),
            who,
            session,
            session_id: signed_in.id,
            path: parts.uri.path().to_owned(),
            wrong: parts.extensions.get::<Trouble>().cloned(),
        })
    }
}

/// What is at a path of the admin API, for somebody without an account whom a link let in. It can only be looked at.
pub(super) async fn look<T: DeserializeOwned>(
    ui: &Ui,
    headers: &HeaderMap,
    name: &str,
    path: &[&str],
) -> Result<T, Trouble> {
    let visitor = Caller {
        proof: Admin {
            name: name.to_owned(),
            request: request_id(headers),
            rights: Rights::of(Role::Auditor),
            kind: ActorKind::Nobody,
            id: None,
            address: None,
            account_only: false,
        },
        headers: passed_on(headers),
    };
    answered(ui, &visitor, Method::GET, &url(path, &[]), None).await
}

/// A page that was asked for is shown after signing in; what a form sent is lost, and the page that it was on is shown.
fn to_sign_in(parts: &Parts) -> Response {
    let wanted = parts.uri.path_and_query().map(|target| target.as_str());
    let target = match (&parts.method, wanted) {
        (&Method::GET, Some(wanted)) if wanted != "/console" => {
            format!("{SIGN_IN}?next={}", segment(wanted))
        }
        (&Method::POST, _) => {
            let before = back::page_before(&parts.headers);
            let before = before.as_deref().unwrap_or("/console");
            format!("{SIGN_IN}?ended=true&next={}", segment(before))
        }
        _ => SIGN_IN.to_owned(),
    };
    see(&target)
}

fn see(target: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response()
}

impl Desk {
    /// What surrounds every page, with the part of the console that is open.
    pub(super) fn shell(&self, open: &'static str) -> Shell {
        Shell {
            open,
            name: self.who.name.clone(),
            role: self.who.rights.role.as_str(),
            form_token: session::form_token(&self.session),
            once: self.ui.app.provision().store().new_request_id().to_string(),
            may_write: self.may_write(),
            is_owner: self.who.rights.role == Role::Owner,
            confined: self.is_confined(),
            private: self.private,
            done: self.done.clone(),
            wrong: self.wrong.clone(),
            stopped: Vec::new(),
        }
    }

    /// A path as people outside know it.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.ui.app.base_url(&self.headers))
    }

    /// What came with the request.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Who looks at the page.
    pub(super) fn who(&self) -> &Administrator {
        &self.who
    }

    /// The id of the session of whoever looks at the page.
    pub(super) fn session_id(&self) -> &str {
        &self.session_id
    }

    /// Lets the browser go on with a new session, after the others ended by what was done in this request.
    pub(super) async fn renew(&mut self) -> Result<Renewed, Trouble> {
        let made = self
            .ui
            .app
            .provision()
            .renew_console_session(&self.who, browser(self.caller.proof.address, &self.headers))
            .await;
        let made = made.map_err(|error| {
            tracing::error!(%error, "a session of the console cannot be renewed");
            Trouble::ours()
        })?;
        self.session = made.secret.reveal().to_owned();
        let begun = self.ui.app.provision();
        let begun = begun.administrator_session(&self.session).await;
        if let Some(begun) = begun.map_err(unasked)? {
            self.session_id = begun.id;
        }
        Ok(Renewed(made))
    }

    /// Puts a renewed session into an answer.
    pub(super) fn keep(&self, renewed: &Renewed, response: &mut Response) {
        let text = renewed.0.secret.reveal();
        session::keep(&self.ui.app, &self.headers, response, text);
    }

    /// Whether anything may be changed.
    pub(super) fn may_write(&self) -> bool {
        self.who.rights.role != Role::Auditor
    }

    /// Whether only some connectors are within reach.
    pub(super) fn is_confined(&self) -> bool {
        self.who.rights.connectors.is_some()
    }

    /// The applications; none for who is confined to connectors, and so may not see any.
    pub(super) async fn applications<T: DeserializeOwned>(&self) -> Result<Vec<T>, Trouble> {
        if self.is_confined() {
            return Ok(Vec::new());
        }
        let all: Listed<T> = self.get(&["applications"], &[]).await?;
        Ok(all.items)
    }

    /// A moment as seen now.
    pub(super) fn when(&self, at: Timestamp) -> When {
        When::new(at, self.now)
    }

    /// The moment of this page.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Reads a form that a page of this administrator sent.
    pub(super) async fn form(&self, body: Body) -> Result<Fields, Trouble> {
        self.form_within(body, API_BODY_BYTES_MAX).await
    }

    /// The same of a form that may be so long.
    pub(super) async fn form_within(
        &self,
        body: Body,
        bytes_max: usize,
    ) -> Result<Fields, Trouble> {
        let fields = Fields::read_within(&self.ui.app, &self.headers, body, bytes_max).await?;
        self.require_token(&fields)?;
        Ok(fields)
    }

    /// Reads a form with a file in it that a page of this administrator sent, as far as the file.
    pub(super) async fn upload(&self, body: Body, bytes_max: u64) -> Result<Upload, Trouble> {
        let form = Upload::read(&self.ui.app, &self.headers, body, bytes_max).await?;
        self.require_token(&form.fields)?;
        Ok(form)
    }

    pub(super) fn require_token(&self, fields: &Fields) -> Result<(), Trouble> {
        if !session::is_form_token(&self.session, fields.text("form_token")) {
            return Err(Trouble::new(
                StatusCode::FORBIDDEN,
                "The form belongs to another session. Go back, load the page again, and send it once more.",
            ));
        }
        Ok(())
    }

    /// What is at a path of the admin API.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Trouble> {
        self.send_with(Method::GET, path, query, None).await
    }

    /// The same where there may be nothing.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Option<T>, Trouble> {
        match self.get(path, query).await {
            Ok(found) => Ok(Some(found)),
            Err(trouble) if trouble.status == StatusCode::NOT_FOUND => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// What a question gives that is too long for an address, and changes nothing.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        question: Value,
    ) -> Result<T, Trouble> {
        self.send_with(Method::POST, path, query, Some(question))
            .await
    }

    /// What a request that changes something gives.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<Value>,
    ) -> Result<T, Trouble> {
        self.send_with(method, path, &[], body).await
    }

    /// The same with a query.
    pub(super) async fn send_with<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<T, Trouble> {
        answered(&self.ui, &self.caller, method, &url(path, query), body).await
    }

    /// What a file gives that is sent to the admin API.
    pub(super) async fn send_file<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        file: (&'static str, Body),
    ) -> Result<T, Trouble> {
        let url = url(path, query);
        let answered = self.ui.api.upload(&self.caller, method, &url, file).await;
        understood(answered.map_err(unasked)?, &url)
    }

    /// A file of the admin API, handed on as it comes.
    pub(super) async fn download(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Response, Trouble> {
        let url = url(path, query);
        let answered = self
            .ui
            .api
            .answer(&self.caller, Method::GET, &url, None)
            .await;
        let answer = answered.map_err(unasked)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let text = to_bytes(answer.into_body(), API_BODY_BYTES_MAX).await;
        Err(refused(
            status,
            &String::from_utf8_lossy(&text.unwrap_or_default()),
        ))
    }
}

async fn answered<T: DeserializeOwned>(
    ui: &Ui,
    caller: &Caller,
    method: Method,
    url: &str,
    body: Option<Value>,
) -> Result<T, Trouble> {
    let body = body.map(|body| body.to_string());
    let answered = ui.api.call(caller, method, url, body).await;
    understood(answered.map_err(unasked)?, url)
}

fn understood<T: DeserializeOwned>(
    (status, text): (StatusCode, String),
    url: &str,
) -> Result<T, Trouble> {
    if !status.is_success() {
        return Err(refused(status, &text));
    }
    let text = if text.is_empty() { "null" } else { &text };
    serde_json::from_str(text).map_err(|error| {
        tracing::error!(%error, url, "a page does not understand the admin API");
        Trouble::ours()
    })
}

/// What sent a request, as far as it is told.
pub(super) fn browser(address: Option<IpAddr>, headers: &HeaderMap) -> Browser {
    let agent = headers.get(USER_AGENT).and_then(|it| it.to_str().ok());
    Browser {
        address: address.map(|it| it.to_string()),
        agent: agent.map(|it| it.chars().take(AGENT_CHARS_MAX).collect()),
    }
}

pub(super) fn unasked(error: impl std::fmt::Display) -> Trouble {
    tracing::error!(%error, "a page cannot ask the admin API");
    Trouble::ours()
}

fn url(path: &[&str], query: &[(&str, &str)]) -> String {
    let mut url = "http://localhost/api/v1".to_owned();
    for segment in path {
        url.push('/');
        url.extend(utf8_percent_encode(segment, SEGMENT));
    }
    let query = query.iter().filter(|(_, value)| !value.is_empty());
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    if !query.is_empty() {
        url.push('?');
        url.push_str(&query);
    }
    url
}

/// A segment of an address of the console.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

//! The token endpoint: `POST /oauth/{connector}/token`, where a client gets an access token for its id
//! and secret (RFC 6749 sections 2.3.1, 4.4 and 5).

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use directory::ConnectorState;
use provision::{Credential, LoadedConnector, ProvisionError};
use serde_json::{Value, json};
use store::Access;

use crate::App;
use crate::authority::{Presented, address_of, basic_pair, may_come_from, presented};
use crate::body::{self, BodyError};
use crate::limits::FORM_BODY_BYTES_MAX;
use crate::metrics::Refused;
use crate::traffic::{Later, whole_seconds};

/// The routes of this face. It asks for a client's credentials itself: they may stand in the body.
pub(crate) fn routes() -> Router<App> {
    Router::new().route("/oauth/{connector}/token", any(token))
}

/// Why there is no token (RFC 6749 section 5.2). What was shown is never repeated.
struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: Cow<'static, str>,
    reason: Option<Refused>,
    retry: Option<u64>,
}

fn refused(error: &'static str, description: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        error,
        description: description.into(),
        reason: None,
        retry: None,
    }
}

/// The same whatever is wrong with a client: nobody learns which part was right.
fn invalid_client() -> Refusal {
    Refusal {
        status: StatusCode::UNAUTHORIZED,
        reason: Some(Refused::Credential),
        ..refused(
            "invalid_client",
            "There is no client of this connector with this id and secret, or the secret has ended. Make a new one in the connector's settings.",
        )
    }
}

async fn token(
    State(app): State<App>,
    Path(connector): Path<String>,
    request: Request,
) -> Response {
    if request.method() != Method::POST {
        let refusal = Refusal {
            status: StatusCode::METHOD_NOT_ALLOWED,
            ..refused("invalid_request", "A token is asked for with POST.")
        };
        let mut response = refusal.into_response();
        let allow = HeaderValue::from_static("POST");
        response.headers_mut().insert(ALLOW, allow);
        return response;
    }
    let address = address_of(&app, &request);
    let issued = issue(&app, &connector, request, address).await;
    match issued {
        Ok(answer) => answered(StatusCode::OK, &answer),
        Err(refusal) => refusal.counted(&app, address).into_response(),
    }
}

async fn issue(
    app: &App,
    named: &str,
    request: Request,
    address: Option<IpAddr>,
) -> Result<Value, Refusal> {
    let (parts, body) = request.into_parts();
    let form = form(&parts.headers, body).await?;
    let (id, secret) = client(&parts.headers, &form)?;
    let (credential, connector) = verified(app, id, secret)
        .await?
        .filter(|(_, connector)| connector.connector.public_id == named)
        .ok_or_else(invalid_client)?;
    let settings = &connector.connector.settings.credentials;
    for ranges in [&connector.addresses, &credential.addresses] {
        if !may_come_from(ranges, address) {
            return Err(forbidden(address));
        }
    }
    if connector.connector.state == ConnectorState::Disabled {
        return Err(refused(
            "unauthorized_client",
            "The connector is switched off.",
        ));
    }
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(refused(
                "unsupported_grant_type",
                "Only grant_type=client_credentials is offered.",
            ));
        }
        None => {
            return Err(refused(
                "invalid_request",
                "grant_type is missing; send grant_type=client_credentials.",
            ));
        }
    }
    let traffic = &app.inner().traffic;
    traffic
        .pass(connector.connector.id, settings)
        .map_err(later)?;
    let made = app
        .provision()
        .issue_access_token(&credential, wanted(&form), settings.access_token_minutes)
        .await
        .map_err(|error| match error {
            ProvisionError::NotFound { .. } => invalid_client(),
            error => trouble(&error),
        })?;
    let now = app.provision().store().now();
    app.inner().seen.token(&credential.id, now, address);
    Ok(json!({
        "access_token": made.secret.reveal(),
        "token_type": "Bearer",
        "expires_in": made.lives.as_secs(),
        "scope": match made.access {
            Access::ReadOnly => "read",
            Access::ReadWrite => "read write",
        },
    }))
}

/// What a client asks for: to read alone, if it says only that. Other words of other servers'
/// scopes mean everything that it may do.
fn wanted(form: &Form) -> Access {
    match form.get("scope") {
        Some("read") => Access::ReadOnly,
        _ => Access::ReadWrite,
    }
}

async fn verified(
    app: &App,
    id: String,
    secret: String,
) -> Result<Option<(Credential, Arc<LoadedConnector>)>, Refusal> {
    let provision = app.provision().clone();
    app.provision()
        .store()
        .look_up(move |tx| {
            let found = provision.client_credential(tx, &id, &secret)?;
            let Some((credential, connector)) = found else {
                return Ok(None);
            };
            let loaded = provision.load_connector(tx, connector)?;
            Ok::<_, ProvisionError>(loaded.map(|connector| (credential, connector)))
        })
        .await
        .map_err(|error| trouble(&error))
}

/// Id and secret, from the header or from the body, but not from both (RFC 6749 section 2.3).
fn client(headers: &HeaderMap, form: &Form) -> Result<(String, String), Refusal> {
    let in_body = (form.get("client_id"), form.get("client_secret"));
    match (presented(headers), in_body) {
        (Presented::Nothing, (Some(id), Some(secret))) => Ok((id.to_owned(), secret.to_owned())),
        (Presented::Nothing, _) => Err(Refusal {
            status: StatusCode::UNAUTHORIZED,
            reason: None,
            ..refused(
                "invalid_client",
                "Send client_id and client_secret in the body, or as user name and password of HTTP Basic.",
            )
        }),
        (Presented::Basic(_), (_, Some(_))) => Err(refused(
            "invalid_request",
            "The client's secret stands in the header and in the body. Send it once.",
        )),
        (Presented::Basic(pair), (id, None)) => {
            let (user, password) = basic_pair(pair).ok_or_else(invalid_client)?;
            // Both are encoded as in a form before they are put together.
            let (user, password) = (decoded(&user), decoded(&password));
            match id {
                _ if user.contains('\0') => Err(invalid_client()),
                Some(id) if id != user => Err(invalid_client()),
                _ => Ok((user, password)),
            }
        }
        (Presented::Several, _) => Err(refused(
            "invalid_request",
            "The request has several Authorization headers. Send one only.",
        )),
        _ => Err(invalid_client()),
    }
}

fn decoded(text: &str) -> String {
    let pair = form_urlencoded::parse(text.as_bytes()).next();
    match pair {
        Some((name, value)) if value.is_empty() && !text.contains('=') => name.into_owned(),
        _ => text.to_owned(),
    }
}

/// The parameters of a request, each at most once (RFC 6749 section 3.2).
struct Form(Vec<(String, String)>);

impl Form {
    /// A parameter without a value counts as left out.
    fn get(&self, wanted: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs
            .find(|(name, value)| name == wanted && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

async fn form(headers: &HeaderMap, body: axum::body::Body) -> Result<Form, Refusal> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(refused(
            "invalid_request",
            "The body has to be a form: Content-Type: application/x-www-form-urlencoded.",
        ));
    }
    let bytes = body::read(headers, body, FORM_BODY_BYTES_MAX).await;
    let bytes = bytes.map_err(|error| Refusal {
        status: match error {
            BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            BodyError::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
            BodyError::Broken => StatusCode::BAD_REQUEST,
        },
        ..refused("invalid_request", "The body could not be read.")
    })?;
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(&bytes) {
        if pairs.iter().any(|(known, _)| *known == name) {
            return Err(refused(
                "invalid_request",
                "A parameter stands in the body twice.",
            ));
        }
        if value.contains('\0') {
            return Err(refused(
                "invalid_request",
                "A parameter has the character NUL in it.",
            ));
        }
        pairs.push((name.into_owned(), value.into_owned()));
    }
    Ok(Form(pairs))
}

fn forbidden(address: Option<IpAddr>) -> Refusal {
    let seen = address.map_or_else(|| "an unknown address".to_owned(), |seen| seen.to_string());
    Refusal {
        status: StatusCode::FORBIDDEN,
        reason: Some(Refused::Address),
        ..refused(
            "unauthorized_client",
            format!("The client may not be used from {seen}. Add the address to the allowed ones."),
        )
    }
}

fn later(later: Later) -> Refusal {
    let (status, seconds) = match later {
        Later::TooMany(seconds) => (StatusCode::TOO_MANY_REQUESTS, seconds),
        Later::TooManyAtOnce => (StatusCode::SERVICE_UNAVAILABLE, 5),
    };
    Refusal {
        status,
        reason: Some(Refused::Rate),
        retry: Some(seconds),
        ..refused(
            "temporarily_unavailable",
            format!("This connector asks more often than it may. Come again in {seconds} s."),
        )
    }
}

fn trouble(error: &ProvisionError) -> Refusal {
    tracing::warn!(%error, "an access token could not be made");
    Refusal {
        status: StatusCode::SERVICE_UNAVAILABLE,
        retry: Some(10),
        ..refused(
            "temporarily_unavailable",
            "The server cannot make a token at the moment. Try again later.",
        )
    }
}

impl Refusal {
    /// Counts the refusal, and turns it into one that says to come later if there were too many.
    fn counted(mut self, app: &App, address: Option<IpAddr>) -> Self {
        let now = app.provision().store().now();
        if matches!(self.reason, Some(Refused::Credential))
            && let Some(wait) = app.inner().failures.note(address, now)
        {
            let seconds = whole_seconds(wait);
            self.status = StatusCode::TOO_MANY_REQUESTS;
            self.reason = Some(Refused::Throttled);
            self.retry = Some(seconds);
            self.description = format!(
                "Too many failed attempts came from this address; come again in {seconds} s. The last one: {}",
                self.description
            )
            .into();
        }
        if let Some(reason) = self.reason {
            app.inner().metrics.refused(reason);
        }
        self
    }

    fn into_response(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.description});
        let mut response = answered(self.status, &body);
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"token endpoint\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn answered(status: StatusCode, body: &Value) -> Response {
    let kind = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
        (PRAGMA, "no-cache"),
    ];
    (status, kind, body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_as_in_a_form_is_read_so() {
        assert_eq!(decoded("plain-id_1.~"), "plain-id_1.~");
        assert_eq!(decoded("a%2Bb+c"), "a+b c");
        assert_eq!(decoded("a=b&c"), "a=b&c");
    }
}

//! A SCIM client that presented a live token of the connector in the path.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use directory::{Cause, ConnectorState, Trigger};
use provision::{LoadedConnector, ProvisionError};
use scim::ScimError;

use super::{Presented, address_of, admit, presented, request_id};
use crate::App;
use crate::scim::error_response;

/// The proof that a request may act for one connector, and only for that one.
#[derive(Clone)]
pub struct ScimCaller {
    /// The connector, named by the token.
    pub connector: Arc<LoadedConnector>,
    /// Who acts, in which request, for the journal.
    pub cause: Cause,
    /// Where the connector's resources are, without a slash at the end.
    pub base_url: String,
}

impl<S: Sync> FromRequestParts<S> for ScimCaller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        parts
            .extensions
            .get::<ScimCaller>()
            .cloned()
            .ok_or_else(|| unauthorized("The request carries no proof of authority."))
    }
}

/// Lets a request through to the SCIM face if its token is live and is the path's connector's.
pub(crate) async fn require_scim_caller(
    State(app): State<App>,
    Path(path): Path<Vec<(String, String)>>,
    request: Request,
    next: Next,
) -> Response {
    let named = path
        .into_iter()
        .find(|(name, _)| name == "connector")
        .map(|(_, value)| value)
        .unwrap_or_default();
    let address = address_of(&app, &request);
    let proof = authorize(&app, &named, request.headers(), address).await;
    admit(proof, request, next).await
}

async fn authorize(
    app: &App,
    named: &str,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<ScimCaller, Response> {
    let token = match presented(headers) {
        Presented::Bearer(token) => token.to_owned(),
        Presented::Nothing => {
            return Err(unauthorized(
                "The request has no Authorization header. Send 'Authorization: Bearer' and the connector's token.",
            ));
        }
        Presented::Basic(_) | Presented::Unusable => {
            return Err(unauthorized(
                "The Authorization header cannot be used. It has to be 'Bearer', a space, and the connector's token.",
            ));
        }
    };
    let provision = app.provision().clone();
    let found = app
        .provision()
        .store()
        .look_up(move |tx| {
            let Some((token, connector)) = provision.scim_credential(tx, &token)? else {
                return Ok(None);
            };
            let now = tx.now();
            let loaded = provision.load_connector(tx, connector)?;
            Ok::<_, ProvisionError>(loaded.map(|loaded| (token, loaded, now)))
        })
        .await
        .map_err(|error| error_response(&crate::scim::scim_error(error)))?;
    let Some((token, connector, now)) = found else {
        return Err(unauthorized(
            "The token is not known, has expired or was revoked. Make a new one for this connector and enter it at the identity provider.",
        ));
    };
    if connector.connector.public_id != named {
        return Err(unauthorized(
            "The token belongs to another connector than the one in the URL. Check the base URL and the token: both are shown together when a connector is made.",
        ));
    }
    if connector.connector.state == ConnectorState::Disabled {
        return Err(unauthorized(
            "The connector is switched off. An administrator has to switch it on before the identity provider can write.",
        ));
    }
    app.inner().seen.token(&token.id, now, address);
    Ok(ScimCaller {
        cause: Cause {
            trigger: Trigger::Scim,
            connector: Some(connector.connector.id),
            actor: token.label,
            request: request_id(headers),
        },
        base_url: format!("{}/scim/v2/{named}", app.base_url(headers)),
        connector,
    })
}

fn unauthorized(detail: &str) -> Response {
    let error = ScimError::new(StatusCode::UNAUTHORIZED.as_u16(), None, detail);
    let mut response = error_response(&error);
    let challenge = HeaderValue::from_static("Bearer realm=\"SCIM\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response.into_response()
}

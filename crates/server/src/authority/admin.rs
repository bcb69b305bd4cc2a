//! An administrator who presented a live token of the admin API.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::{Presented, address_of, admit, presented, request_id};
use crate::App;
use crate::api::Problem;

/// The proof that a request may administer this server.
#[derive(Clone)]
pub struct Admin {
    /// The token's label, for the journal.
    pub name: String,
    /// The id of the request, for the journal.
    pub request: String,
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let found = parts.extensions.get::<Admin>().cloned();
        found.ok_or_else(|| unauthorized("The request carries no proof of authority."))
    }
}

/// Lets a request through to the admin API if its token is live.
pub(crate) async fn require_admin(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let address = address_of(&app, &request);
    let proof = authorize(&app, request.headers(), address).await;
    admit(proof, request, next).await
}

async fn authorize(
    app: &App,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Admin, Response> {
    let Presented::Bearer(token) = presented(headers) else {
        return Err(unauthorized(
            "Send 'Authorization: Bearer' and a token of the admin API; one was printed at the first start.",
        ));
    };
    let (token, provision) = (token.to_owned(), app.provision().clone());
    let found = app
        .provision()
        .store()
        .look_up(move |tx| {
            let now = tx.now();
            Ok::<_, provision::ProvisionError>(
                provision
                    .api_credential(tx, &token)?
                    .map(|token| (token, now)),
            )
        })
        .await
        .map_err(|error| crate::api::failure(&error))?;
    let Some((token, now)) = found else {
        return Err(unauthorized(
            "The token is not known, has expired or was revoked. Make a new one with 'vestibule token create'.",
        ));
    };
    app.inner().seen.token(&token.id, now, address);
    Ok(Admin {
        name: token.label,
        request: request_id(headers),
    })
}

fn unauthorized(detail: &str) -> Response {
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
    let challenge = HeaderValue::from_static("Bearer realm=\"admin API\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

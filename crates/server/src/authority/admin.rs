//! An administrator who presented a live token of the admin API.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use scim::catalogue;
use store::{ActorKind, Rights, Role};

use super::refusal::Refusal;
use super::{Presented, address_of, admit, may_come_from, presented, request_id};
use crate::App;
use crate::audit::Entry;

/// The proof that a request may administer this server.
#[derive(Clone)]
pub struct Admin {
    /// The token's label, for the journal.
    pub name: String,
    /// The id of the request, for the journal.
    pub request: String,
    /// What the caller may do.
    pub rights: Rights,
    /// What kind of caller it is.
    pub kind: ActorKind,
    /// The id of the administrator or token.
    pub id: Option<String>,
    /// From which address the request comes.
    pub address: Option<IpAddr>,
    /// Whether nothing but that account may be reached: its second factor is still to be set up.
    pub account_only: bool,
}

impl Admin {
    /// The id of the administrator, if it is one who is signed in.
    pub(crate) fn account(&self) -> Option<&str> {
        match self.kind {
            ActorKind::Administrator => self.id.as_deref(),
            ActorKind::Token | ActorKind::CommandLine | ActorKind::Nobody => None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let found = parts.extensions.get::<Admin>().cloned();
        found.ok_or_else(|| {
            Refusal::anonymous(
                &catalogue::CREDENTIALS_MISSING,
                "The request carries no proof of authority.",
            )
            .into_problem()
        })
    }
}

/// Lets a request through to the admin API if its token is live and may do this from there.
pub(crate) async fn require_admin(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let address = address_of(&app, &request);
    let (parts, body) = request.into_parts();
    let proof = prove(&app, &parts, address).await;
    admit(proof, Request::from_parts(parts, body), next).await
}

/// Who asks, by a live token of the admin API that may do so from there; or the answer, which is entered and counted.
pub(crate) async fn prove(
    app: &App,
    parts: &Parts,
    address: Option<IpAddr>,
) -> Result<Admin, Response> {
    let refusal = match authorize(app, parts, address).await {
        Ok(admin) => return Ok(admin),
        Err(refusal) => refusal,
    };
    if let Some(failure) = refusal.of_token() {
        let entry = Entry {
            action: "token",
            who: None,
            failure: Some(failure),
            address,
            headers: &parts.headers,
            target: parts.uri.path(),
        };
        app.note_entry(entry).await;
    }
    Err(refusal.counted(app, address).into_problem())
}

async fn authorize(app: &App, request: &Parts, address: Option<IpAddr>) -> Result<Admin, Refusal> {
    let token = match presented(&request.headers) {
        Presented::Bearer(token) if !token.is_empty() => token.to_owned(),
        Presented::Nothing | Presented::Bearer(_) => {
            return Err(Refusal::anonymous(
                &catalogue::CREDENTIALS_MISSING,
                "Send 'Authorization: Bearer' and a token of the admin API; one was printed at the first start.",
            ));
        }
        unusable => return Err(Refusal::unusable(&unusable)),
    };
    let provision = app.provision().clone();
    let found = app
        .provision()
        .store()
        .look_up(move |tx| provision.api_credential(tx, &token))
        .await
        .map_err(Refusal::store)?;
    let Some(credential) = found else {
        return Err(Refusal::invalid_token(
            &catalogue::TOKEN_UNKNOWN,
            "The token is not known, has expired or was revoked. Make a new one with 'vestibule token create'.",
        ));
    };
    if !may_come_from(&credential.addresses, address) {
        return Err(Refusal::address("The token", address));
    }
    let now = app.provision().store().now();
    app.inner().seen.token(&credential.id, now, address);
    Ok(Admin {
        name: credential.label,
        request: request_id(&request.headers),
        // Every token of the admin API has some.
        rights: credential.rights.unwrap_or(Rights::of(Role::Auditor)),
        kind: ActorKind::Token,
        id: Some(credential.id),
        address,
        account_only: false,
    })
}

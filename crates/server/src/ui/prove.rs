//! The password asked for once more, before a form gives rights away or takes everything along: an open console is not
//! enough for that.

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::desk::Desk;
use super::form::Fields;
use super::knock::{knocked, told};
use super::page::{Shell, Trouble, show};
use super::{Ui, back};
use crate::limits::API_BODY_BYTES_MAX;

/// The forms before which it is asked for.
const GRAVE: [&str; 11] = [
    "/console/account/second-factor",
    "/console/administrators",
    "/console/administrators/openid",
    "/console/administrators/sign-in",
    "/console/administrators/{administrator}/delete",
    "/console/administrators/{administrator}/reset",
    "/console/administrators/{administrator}/role",
    "/console/administrators/{administrator}/second-factor",
    "/console/backup",
    "/console/backup/staged/restore",
    "/console/tokens",
];
/// The field in which the password comes.
const PROOF: &str = "proof";

#[derive(Template)]
#[template(path = "prove.html")]
struct ProvePage {
    shell: Shell,
    wrong: Option<String>,
    /// Where the form goes, with what it sent.
    action: String,
    fields: Vec<(String, String)>,
    back: String,
}

/// Lets a form go on, or asks for the password first; the form goes on with that.
pub(super) async fn require(State(ui): State<Ui>, request: Request, next: Next) -> Response {
    if !is_grave(&request) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let desk = match Desk::from_request_parts(&mut parts, &ui).await {
        Ok(desk) => desk,
        Err(answer) => return answer,
    };
    if !desk.needs_proof {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let read = Fields::bytes(&ui.app, &parts.headers, body, API_BODY_BYTES_MAX).await;
    let proved = match read {
        Ok(bytes) => proved(&ui, &desk, &parts, &bytes)
            .await
            .map(|page| (page, bytes)),
        Err(trouble) => Err(trouble),
    };
    match proved {
        Ok((None, bytes)) => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await
        }
        Ok((Some(page), _)) => page,
        Err(trouble) => trouble.into_response(),
    }
}

fn is_grave(request: &Request) -> bool {
    let place = request.extensions().get::<MatchedPath>();
    request.method() == Method::POST && place.is_some_and(|it| GRAVE.contains(&it.as_str()))
}

/// Nothing if the form has the right password in it, else the page that asks for it.
async fn proved(
    ui: &Ui,
    desk: &Desk,
    parts: &Parts,
    bytes: &Bytes,
) -> Result<Option<Response>, Trouble> {
    let form = Fields::parse(bytes);
    desk.require_token(&form)?;
    let mut page = ProvePage {
        shell: desk.shell(""),
        wrong: None,
        action: desk.path.clone(),
        fields: form.without(PROOF),
        back: back::page_before(&parts.headers).unwrap_or_else(|| "/console".to_owned()),
    };
    let password = form.exact(PROOF);
    if password.is_empty() {
        return show(&page).map(Some);
    }
    let provision = ui.app.provision();
    let looked = provision.prove_again(&desk.session, password, ui.app.passwords());
    let looked = knocked(ui, parts, looked).await;
    let failure = looked.as_ref().err().map(|error| error.reason());
    ui.enter(parts, "prove_again", Some(desk.who()), failure.as_deref())
        .await;
    let Err(error) = looked else {
        return Ok(None);
    };
    let told = told(ui, error, "This is not your password.")?;
    page.wrong = Some(told.wrong.clone());
    told.show(&page).map(Some)
}

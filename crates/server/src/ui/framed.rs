//! What goes wrong for somebody signed in is told within the console, so that the menu leads on.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::Ui;
use super::desk::Desk;
use super::page::Trouble;

/// Puts the console around what is wrong, if whoever asked is signed in.
pub(super) async fn within(State(ui): State<Ui>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut asked = parts.clone();
    let answer = next.run(Request::from_parts(parts, body)).await;
    let Some(trouble) = answer.extensions().get::<Trouble>().cloned() else {
        return answer;
    };
    match Desk::from_request_parts(&mut asked, &ui).await {
        Ok(desk) => trouble.within(desk.shell("")),
        Err(_not_signed_in) => answer,
    }
}

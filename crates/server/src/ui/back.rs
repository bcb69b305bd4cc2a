//! What a form wanted and could not have, told on the page that the form came from.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, COOKIE, REFERER};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use tower::ServiceExt;

use super::page::Trouble;
use crate::forwarded::{Peer, passed_on};

/// Answers a form that was refused with the page it came from, if that can still be shown, and what is wrong above it.
pub(super) async fn tell(State(pages): State<Router>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let page = page_before(request.headers()).and_then(|place| asking(&request, &place));
    let refused = next.run(request).await;
    let trouble = refused.extensions().get::<Trouble>().cloned();
    let (Some(mut page), Some(trouble)) = (page, trouble) else {
        return refused;
    };
    let status = trouble.status;
    page.extensions_mut().insert(trouble);
    match pages.oneshot(page).await {
        Ok(mut shown) if is_page(&shown) => {
            *shown.status_mut() = status;
            shown
        }
        Ok(_gone) => refused,
        Err(never) => match never {},
    }
}

/// Whether an answer is a page that could be shown.
pub(super) fn is_page(answer: &Response) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    answer.status() == StatusCode::OK && kind.is_some_and(|kind| kind.starts_with("text/html"))
}

/// The page of the console from which a form came; none if the browser does not say it.
pub(super) fn page_before(headers: &HeaderMap) -> Option<String> {
    let from: Uri = headers.get(REFERER)?.to_str().ok()?.parse().ok()?;
    let place = from.path_and_query()?.as_str();
    place.starts_with("/console").then(|| place.to_owned())
}

/// The request for a page by whoever sent another one.
fn asking(request: &Request, place: &str) -> Option<Request> {
    let mut page = Request::get(place).body(Body::empty()).ok()?;
    let headers = request.headers();
    *page.headers_mut() = passed_on(headers);
    for cookie in headers.get_all(COOKIE) {
        page.headers_mut().append(COOKIE, cookie.clone());
    }
    if let Some(peer) = request.extensions().get::<Peer>() {
        page.extensions_mut().insert(*peer);
    }
    Some(page)
}

//! The page at `/`: what this is and where its doors are.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Html;

use crate::App;

/// `GET /`. It tells addresses only, nothing that needs a proof of authority.
pub(crate) async fn page(State(app): State<App>, headers: HeaderMap) -> Html<String> {
    let base = app.base_url(&headers);
    Html(PAGE.replace("{base}", &base))
}

const PAGE: &str = include_str!("front.html");

//! Stylesheets and scripts: kept by browsers, who ask whether they are still the same.

use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use store::token_hash;

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// A file that is part of the program.
struct Asset {
    kind: &'static str,
    text: &'static str,
    /// What is another as soon as the text is.
    tag: LazyLock<String>,
}

static FRONT: Asset = Asset {
    kind: CSS,
    text: include_str!("../front.css"),
    tag: LazyLock::new(|| tag(include_str!("../front.css"))),
};
static STYLESHEET: Asset = Asset {
    kind: CSS,
    text: include_str!("console.css"),
    tag: LazyLock::new(|| tag(include_str!("console.css"))),
};
static SCRIPT: Asset = Asset {
    kind: JAVASCRIPT,
    text: include_str!("console.js"),
    tag: LazyLock::new(|| tag(include_str!("console.js"))),
};
static PREVIEW: Asset = Asset {
    kind: JAVASCRIPT,
    text: include_str!("preview.js"),
    tag: LazyLock::new(|| tag(include_str!("preview.js"))),
};

fn tag(text: &str) -> String {
    format!("\"{}\"", token_hash(text))
}

impl Asset {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let kept = [(CACHE_CONTROL, "no-cache"), (ETAG, self.tag.as_str())];
        let known = headers.get(IF_NONE_MATCH);
        match known.is_some_and(|known| known.as_bytes() == self.tag.as_bytes()) {
            true => (StatusCode::NOT_MODIFIED, kept).into_response(),
            false => (kept, [(CONTENT_TYPE, self.kind)], self.text).into_response(),
        }
    }
}

/// `GET /front.css`
pub(crate) async fn front(headers: HeaderMap) -> Response {
    FRONT.answer(&headers)
}

/// `GET /console/console.css`
pub(super) async fn stylesheet(headers: HeaderMap) -> Response {
    STYLESHEET.answer(&headers)
}

/// `GET /console/console.js`
pub(super) async fn script(headers: HeaderMap) -> Response {
    SCRIPT.answer(&headers)
}

/// `GET /console/preview.js`
pub(super) async fn preview(headers: HeaderMap) -> Response {
    PREVIEW.answer(&headers)
}

//! What all pages have in common: the frame around them, and what is shown when something goes wrong.

use std::fmt;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

/// What surrounds every page.
pub(super) struct Shell {
    /// The part of the console that is open.
    pub(super) open: &'static str,
    /// Who is signed in.
    pub(super) name: String,
    /// As what.
    pub(super) role: &'static str,
    /// The token of forms.
    pub(super) form_token: String,
    /// Whether anything may be changed.
    pub(super) may_write: bool,
    /// Whether administrators may be.
    pub(super) is_owner: bool,
    /// Whether only some connectors are within reach.
    pub(super) confined: bool,
    /// Whether the connection keeps secrets.
    pub(super) private: bool,
    /// What has just been done.
    pub(super) done: Option<String>,
}

impl Shell {
    /// Whether connectors may be made: who is confined to some makes no others.
    pub(super) fn may_set_up(&self) -> bool {
        self.may_write && !self.confined
    }

    /// The same after something was done.
    pub(super) fn told(mut self, done: impl Into<String>) -> Self {
        self.done = Some(done.into());
        self
    }
}

/// Why a page cannot be shown, or a form not be carried out.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) status: StatusCode,
    /// What is wrong, and what to do.
    pub(super) detail: String,
    /// Each place that is wrong.
    pub(super) places: Vec<Place>,
}

/// One place that is wrong.
#[derive(Debug, Deserialize)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Place {
    /// Where, as forms name their fields: `mapping[0].target` is `mapping.0.target`.
    pub(super) fn dotted(&self) -> String {
        self.path.replace('[', ".").replace(']', "")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}; {}", self.path, self.message, self.remedy)
    }
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'a> {
    title: &'a str,
    trouble: &'a Trouble,
}

impl Trouble {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            places: Vec::new(),
        }
    }

    /// A fault of this server.
    pub(super) fn ours() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The server made a mistake. Its log tells more.",
        )
    }

    /// Told on a page of its own.
    pub(super) fn alone(&self) -> Response {
        let page = TroublePage {
            title: self.status.canonical_reason().unwrap_or("Error"),
            trouble: self,
        };
        with_status(self.status, &page)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        self.alone()
    }
}

/// What a handler of a page gives.
pub(super) type Shown = Result<Response, Trouble>;

/// A number in an address; what is none leads nowhere.
pub(super) fn number(text: &str) -> Result<i64, Trouble> {
    text.parse().map_err(|_no_number| {
        let told = "There is no such page. It may have moved, or what it was about is gone.";
        Trouble::new(StatusCode::NOT_FOUND, told)
    })
}

/// A page.
pub(super) fn show(page: &impl Template) -> Shown {
    Ok(with_status(StatusCode::OK, page))
}

/// A page that tells what is wrong with a form.
pub(super) fn show_wrong(status: StatusCode, page: &impl Template) -> Shown {
    Ok(with_status(status, page))
}

fn with_status(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The page cannot be shown.",
            )
                .into_response()
        }
    }
}

/// After a form: the page to look at next.
pub(super) fn go_to(target: &str) -> Shown {
    Ok((StatusCode::SEE_OTHER, [(LOCATION, target)]).into_response())
}

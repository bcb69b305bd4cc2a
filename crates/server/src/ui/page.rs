//! What all pages have in common: the frame around them, and what is shown when something goes wrong.

use std::fmt;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;

use super::stopped::Note;

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
    /// The number of this page, for forms that are carried out once.
    pub(super) once: String,
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
    /// Why what was wanted could not be done.
    pub(super) wrong: Option<Trouble>,
    /// Connectors of which everybody should know that they take no effect.
    pub(super) stopped: Vec<Note>,
}

impl Shell {
    /// Whether connectors may be made: who is confined to some makes no others.
    pub(super) fn may_set_up(&self) -> bool {
        self.may_write && !self.confined
    }

    /// The same with what everybody should know who looks at what these connectors feed.
    pub(super) fn stopped(mut self, notes: Vec<Note>) -> Self {
        self.stopped = notes;
        self
    }

    /// The same after something was done.
    pub(super) fn told(mut self, done: impl Into<String>) -> Self {
        self.done = Some(done.into());
        self
    }
}

/// Why a page cannot be shown, or a form not be carried out.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) status: StatusCode,
    /// What is wrong, and what to do.
    pub(super) detail: String,
    /// What the admin API calls the field that it is about, if it is about one.
    pub(super) field: Option<String>,
    /// Each place that is wrong.
    pub(super) places: Vec<Place>,
}

/// One place that is wrong.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) message: String,
    pub(super) remedy: String,
    /// What stands beside its field, where there is one.
    #[serde(skip)]
    pub(super) label: Option<String>,
}

impl Place {
    /// Where, as forms name their fields: `mapping[0].target` is `mapping.0.target`.
    pub(super) fn dotted(&self) -> String {
        self.path.replace('[', ".").replace(']', "")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.label.as_ref().unwrap_or(&self.path);
        write!(out, "{place}: {}; {}", self.message, self.remedy)
    }
}

/// What is wrong with the field that the admin API calls so, to be said beside it.
pub(super) fn beside(wrong: &Option<Trouble>, name: &str) -> Option<String> {
    let wrong = wrong.as_ref()?;
    if wrong.field.as_deref() == Some(name) {
        return Some(wrong.detail.clone());
    }
    // Of a list, each item has a place of its own, and the list one field.
    let place = wrong.places.iter();
    let place = place
        .map(|place| (place.path.strip_prefix(name), place))
        .find(|(rest, _)| rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('[')));
    let (_, place) = place?;
    Some(format!("{}; {}", place.message, place.remedy))
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'a> {
    title: &'a str,
    trouble: &'a Trouble,
}

#[derive(Template)]
#[template(path = "trouble_framed.html")]
struct FramedTroublePage<'a> {
    shell: Shell,
    title: &'a str,
    trouble: &'a Trouble,
}

impl Trouble {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            field: None,
            places: Vec::new(),
        }
    }

    /// What was typed into a field is wrong.
    pub(super) fn in_field(name: &str, detail: impl Into<String>) -> Self {
        Self {
            field: Some(name.to_owned()),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }

    /// The same, with its places called as the form calls them.
    pub(super) fn labelled(mut self, label: impl Fn(&str) -> Option<String>) -> Self {
        for place in &mut self.places {
            place.label = label(&place.path);
        }
        self
    }

    /// A fault of this server.
    pub(super) fn ours() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The server made a mistake. Its log tells more.",
        )
    }

    /// Told on a page of the console.
    pub(super) fn within(&self, shell: Shell) -> Response {
        let page = FramedTroublePage {
            shell,
            title: title(self.status),
            trouble: self,
        };
        with_status(self.status, &page)
    }

    /// Told on a page of its own.
    pub(super) fn alone(&self) -> Response {
        let page = TroublePage {
            title: title(self.status),
            trouble: self,
        };
        let mut answer = with_status(self.status, &page);
        // A form is answered with the page that it came from instead, where that can be shown.
        answer.extensions_mut().insert(self.clone());
        answer
    }
}

/// What a status means to people.
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::FORBIDDEN => "You may not do this",
        status if status.is_server_error() => "The server cannot do it",
        _ => "This cannot be done",
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

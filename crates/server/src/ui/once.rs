//! Forms that make something: each that is shown is carried out once, however often it is sent.

use askama::Template;
use axum::http::header::{CONTENT_LOCATION, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use provision::Sending;
use store::token_hash;

use super::desk::{Desk, unasked};
use super::form::Fields;
use super::page::{Shell, Shown, Trouble, show_wrong};

#[derive(Template)]
#[template(path = "sent_before.html")]
struct SentBeforePage {
    shell: Shell,
    place: String,
}

impl Desk {
    /// Carries out what a form of this administrator wants, once for each form that was shown. Where it is sent again,
    /// that is said, and where to look: at what it made, or at this place while that is not known.
    pub(super) async fn once(
        &self,
        form: &Fields,
        place: &str,
        work: impl Future<Output = Shown>,
    ) -> Shown {
        let number = form.text("once");
        if number.is_empty() {
            return Err(Trouble::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The form was sent without its number. Load the page again, and send it once more.",
            ));
        }
        let form = token_hash(&format!("{number} {}", self.path));
        let provision = self.ui.app.provision();
        let sending = provision.send_form(&self.session, &form).await;
        if let Sending::Again(made) = sending.map_err(unasked)? {
            return self.sent_before(made.as_deref().unwrap_or(place));
        }
        let shown = work.await;
        // What fails on our side may have been done.
        let (is_refused, made) = match &shown {
            Ok(answer) => (answer.status().is_client_error(), place_of(answer)),
            Err(trouble) => (trouble.status.is_client_error(), None),
        };
        let made = (!is_refused).then(|| made.unwrap_or(place).to_owned());
        // What was made is shown in any case: it may be a secret.
        if let Err(error) = provision.form_made(&self.session, &form, made).await {
            tracing::error!(%error, "it cannot be noted what came of a form");
        }
        shown
    }

    /// The page for a form that was sent before.
    fn sent_before(&self, place: &str) -> Shown {
        show_wrong(
            StatusCode::CONFLICT,
            &SentBeforePage {
                shell: self.shell(""),
                place: place.to_owned(),
            },
        )
    }
}

/// An answer that tells where what was made is found later.
pub(super) fn found_at(shown: Shown, place: &str) -> Shown {
    let mut answer = shown?;
    if let Ok(place) = HeaderValue::from_str(place) {
        answer.headers_mut().insert(CONTENT_LOCATION, place);
    }
    Ok(answer)
}

/// Where what an answer tells of is found later.
fn place_of(answer: &Response) -> Option<&str> {
    let headers = answer.headers();
    let place = headers.get(LOCATION).or(headers.get(CONTENT_LOCATION))?;
    place.to_str().ok()
}

//! Passwords and codes at the door of the console: how many an address may try, and what somebody is told who is not let in.

use std::time::Duration;

use askama::Template;
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use jiff::SignedDuration;
use provision::SignInError;

use super::Ui;
use super::page::{Shown, Trouble, show_wrong};
use crate::forwarded::client_address;

/// Why somebody is not let in.
pub(super) enum NotIn {
    /// There were too many attempts from the address; this one was not looked at.
    PutOff(Duration),
    Refused(SignInError),
}

impl NotIn {
    /// For the audit log.
    pub(super) fn reason(&self) -> String {
        match self {
            NotIn::PutOff(_) => "too many attempts from this address".to_owned(),
            NotIn::Refused(error) => error.to_string(),
        }
    }
}

/// Looks at a password or code, unless too many came from the address. Each is counted before it is looked at, and one
/// that is right is taken back.
pub(super) async fn knocked<T>(
    ui: &Ui,
    parts: &Parts,
    look: impl Future<Output = Result<T, SignInError>>,
) -> Result<T, NotIn> {
    let inner = ui.app.inner();
    let address = client_address(&inner.settings, &parts.extensions, &parts.headers);
    let now = ui.app.provision().store().now();
    if let Some(wait) = inner.sign_ins.note(address, now) {
        return Err(NotIn::PutOff(wait));
    }
    let seen = look.await.map_err(NotIn::Refused)?;
    inner.sign_ins.take_back(address);
    Ok(seen)
}

/// What somebody is told who is not let in.
pub(super) struct Told {
    status: StatusCode,
    pub(super) wrong: String,
    /// After how many seconds it can be tried again, if that is known.
    wait: Option<u64>,
}

impl Told {
    fn new(status: StatusCode, wrong: impl Into<String>) -> Self {
        Self {
            status,
            wrong: wrong.into(),
            wait: None,
        }
    }

    fn later(reason: &str, wait: Duration) -> Self {
        let seconds = wait.as_secs().max(1);
        let wrong = format!("{reason} Try again in {seconds} s.");
        Self {
            wait: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, wrong)
        }
    }

    /// The page that tells it.
    pub(super) fn show(&self, page: &impl Template) -> Shown {
        let mut answer = show_wrong(self.status, page)?;
        if let Some(seconds) = self.wait {
            let seconds = HeaderValue::from(seconds);
            answer.headers_mut().insert(RETRY_AFTER, seconds);
        }
        Ok(answer)
    }
}

pub(super) fn told(ui: &Ui, error: NotIn, wrong: &str) -> Result<Told, Trouble> {
    let error = match error {
        NotIn::PutOff(wait) => {
            return Ok(Told::later("Too many attempts from this address.", wait));
        }
        NotIn::Refused(error) => error,
    };
    Ok(match error {
        SignInError::Wrong => Told::new(StatusCode::UNAUTHORIZED, wrong),
        SignInError::Locked(until) => {
            let now = ui.app.provision().store().now();
            let wait = until.duration_since(now).max(SignedDuration::ZERO);
            Told::later("Too many failures.", wait.unsigned_abs())
        }
        SignInError::Late => Told::new(
            StatusCode::UNAUTHORIZED,
            "That took too long. Sign in again.",
        ),
        SignInError::Hash(_) => Told::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many people sign in at the moment. Try again.",
        ),
        SignInError::Provision(error) => {
            tracing::error!(%error, "signing in failed");
            return Err(Trouble::ours());
        }
    })
}

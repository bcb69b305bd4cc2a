//! Why somebody is not let in, and what to do about it. What was shown is never repeated.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use provision::ProvisionError;
use scim::catalogue::{self, Entry};

use super::Presented;
use crate::App;
use crate::api::Problem;
use crate::limits::CREDENTIAL_BYTES_MAX;
use crate::metrics::Refused;
use crate::scim::{error_response, scim_error, status_of};
use crate::traffic::{Later, whole_seconds};

/// Why somebody is not let in.
pub(super) struct Refusal {
    entry: &'static Entry,
    /// The word of RFC 6750 section 3.1; none if nothing was shown.
    error: Option<&'static str>,
    detail: String,
    reason: Option<Refused>,
    /// Seconds to wait.
    retry: Option<u64>,
}

impl Refusal {
    fn unauthorized(
        entry: &'static Entry,
        error: Option<&'static str>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            entry,
            error,
            detail: detail.into(),
            reason: error.map(|_| Refused::Credential),
            retry: None,
        }
    }

    /// Nothing was shown that could be wrong.
    pub(super) fn anonymous(entry: &'static Entry, detail: &str) -> Self {
        Self::unauthorized(entry, None, detail)
    }

    /// What was shown is wrong.
    pub(super) fn invalid_token(entry: &'static Entry, detail: impl Into<String>) -> Self {
        Self::unauthorized(entry, Some("invalid_token"), detail)
    }

    pub(super) fn unknown_token() -> Self {
        Self::invalid_token(
            &catalogue::TOKEN_UNKNOWN,
            "The token is not known, has expired or was revoked. Make a new one for this connector and enter it at the identity provider.",
        )
    }

    /// What is wrong with the credential that was shown, if one was.
    pub(super) fn of_token(&self) -> Option<&str> {
        let is_elsewhere = self.entry.code == catalogue::ADDRESS_NOT_ALLOWED.code;
        (self.error.is_some() || is_elsewhere).then_some(self.detail.as_str())
    }

    pub(super) fn nothing() -> Self {
        Self::anonymous(
            &catalogue::CREDENTIALS_MISSING,
            "The request has no Authorization header. Send 'Authorization: Bearer' and the connector's token.",
        )
    }

    pub(super) fn no_scheme() -> Self {
        Self::invalid_token(
            &catalogue::AUTHORIZATION_WITHOUT_SCHEME,
            "The Authorization header has no scheme: it holds one word. Enter the word Bearer, a space and the connector's token at the identity provider; if that is not possible there, switch 'bare_token' on in the connector's settings.",
        )
    }

    pub(super) fn basic_is_off() -> Self {
        Self::invalid_token(
            &catalogue::BASIC_SWITCHED_OFF,
            "The Authorization header is 'Basic', which this connector does not take. Use 'Bearer' and the connector's token, or switch 'basic' on in the connector's settings.",
        )
    }

    pub(super) fn wrong_pair() -> Self {
        Self::invalid_token(
            &catalogue::CLIENT_UNKNOWN,
            "The Authorization header is 'Basic', and user name and password are not id and secret of a client of this connector. If a token was entered as password, use 'Bearer' and the token instead.",
        )
    }

    pub(super) fn no_signed_tokens() -> Self {
        Self::invalid_token(
            &catalogue::SIGNED_TOKENS_SWITCHED_OFF,
            "The token is one that the identity provider signed itself (JWT), and the connector in the URL takes none. Enter the connector's token as the secret token there, or set 'jwt' in the connector's settings.",
        )
    }

    /// What was shown cannot be a token of this server at all.
    pub(super) fn malformed(token: &str) -> Self {
        if token.is_empty() {
            return Self::anonymous(
                &catalogue::CREDENTIALS_MISSING,
                "The Authorization header has no token behind its scheme. Enter the connector's token at the identity provider.",
            );
        }
        let detail = if token.starts_with("vst_api_") {
            "The token is one of the admin API. An identity provider needs the token of its connector."
        } else if token.starts_with("vst_client_") {
            "The token is the secret of a client. Send it to the token endpoint of the connector to get an access token."
        } else if token.starts_with("vst_") {
            "The token is cut or mistyped. Copy the whole token again, without blanks."
        } else {
            "The token is none that this server makes. Enter the connector's token, which begins with vst_scim_."
        };
        Self::invalid_token(&catalogue::TOKEN_MALFORMED, detail)
    }

    /// What was shown is in no form that could be looked at.
    pub(super) fn unusable(presented: &Presented<'_>) -> Self {
        match presented {
            Presented::Several => Self::unauthorized(
                &catalogue::SEVERAL_CREDENTIALS,
                Some("invalid_request"),
                "The request shows several credentials. Send one only; a proxy on the way may have added another.",
            ),
            Presented::TooLong => Self::invalid_token(
                &catalogue::AUTHORIZATION_UNREADABLE,
                format!(
                    "What the request shows is longer than {CREDENTIAL_BYTES_MAX} bytes. Enter the connector's token and nothing else."
                ),
            ),
            Presented::Basic(_) => Self::invalid_token(
                &catalogue::AUTHORIZATION_UNREADABLE,
                "The Authorization header is 'Basic', but what follows is not user name and password in base64.",
            ),
            _ => Self::invalid_token(
                &catalogue::AUTHORIZATION_UNREADABLE,
                "The Authorization header cannot be used. It has to be 'Bearer', a space, and the connector's token.",
            ),
        }
    }

    /// A credential in a URL is known to everybody who can read a log.
    ///
    /// Whether it is right is not told; if nothing else was shown, it counts as an attempt.
    pub(super) fn exposed(is_attempt: bool) -> Self {
        tracing::warn!("a request carried a token in its URL");
        let refusal = Self::unauthorized(
            &catalogue::TOKEN_IN_ADDRESS,
            Some("invalid_request"),
            "The URL holds a token, where logs keep it. Take it out of the base URL, send it as 'Authorization: Bearer', and make a new one: this one has to count as known.",
        );
        Self {
            reason: refusal.reason.filter(|_| is_attempt),
            ..refusal
        }
    }

    pub(super) fn no_keys(issuer: &str, why: &str) -> Self {
        Self {
            entry: &catalogue::ISSUER_KEYS_UNAVAILABLE,
            error: None,
            detail: format!(
                "The signature of the token cannot be checked, because the keys of '{issuer}' cannot be fetched: {why}."
            ),
            reason: Some(Refused::Keys),
            retry: Some(10),
        }
    }

    pub(super) fn address(whose: &str, address: Option<IpAddr>) -> Self {
        let seen = address.map_or_else(|| "an unknown address".to_owned(), |seen| seen.to_string());
        Self {
            entry: &catalogue::ADDRESS_NOT_ALLOWED,
            error: None,
            detail: format!(
                "{whose} may not be used from {seen}. Add the address to the allowed ones, or, if it is that of a proxy, name the proxy in the setting trusted_proxies."
            ),
            reason: Some(Refused::Address),
            retry: None,
        }
    }

    pub(super) fn read_only() -> Self {
        Self {
            entry: &catalogue::CREDENTIAL_READS_ONLY,
            error: Some("insufficient_scope"),
            detail: "The credential may only read, and the request would change something. Use one that may also write.".to_owned(),
            reason: Some(Refused::ReadOnly),
            retry: None,
        }
    }

    pub(super) fn later(later: Later) -> Self {
        match later {
            Later::TooMany(seconds) => Self {
                entry: &catalogue::TOO_MANY_REQUESTS,
                error: None,
                detail: format!(
                    "This connector asks more often than it may. Come again in {seconds} s; the limit is a setting of the server and of the connector."
                ),
                reason: Some(Refused::Rate),
                retry: Some(seconds),
            },
            Later::TooManyAtOnce => Self {
                entry: &catalogue::TOO_MANY_AT_ONCE,
                error: None,
                detail:
                    "Too many requests of this connector are in progress. Come again in a moment."
                        .to_owned(),
                reason: Some(Refused::InFlight),
                retry: Some(5),
            },
        }
    }

    /// Our own trouble.
    pub(super) fn store(error: ProvisionError) -> Self {
        let error = scim_error(error);
        Self {
            entry: error.entry,
            error: None,
            reason: None,
            retry: (error.status == 503).then_some(10),
            detail: error.detail,
        }
    }

    fn throttled(mut self, wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        self.entry = &catalogue::TOO_MANY_FAILURES;
        self.error = None;
        self.retry = Some(seconds);
        self.reason = Some(Refused::Throttled);
        self.detail = format!(
            "Too many failed attempts came from this address; come again in {seconds} s. The last one: {}",
            self.detail
        );
        self
    }

    /// Counts the refusal, and turns it into one that says to come later if there were too many.
    pub(super) fn counted(self, app: &App, address: Option<IpAddr>) -> Self {
        let now = app.provision().store().now();
        let told = match self.reason {
            Some(Refused::Credential) => match app.inner().failures.note(address, now) {
                Some(wait) => self.throttled(wait),
                None => self,
            },
            _ => self,
        };
        if let Some(reason) = told.reason {
            app.inner().metrics.refused(reason);
        }
        told
    }

    /// In the form of the SCIM face.
    pub(super) fn into_scim(self) -> Response {
        let error = self.entry.error(self.detail.as_str());
        self.finish(error_response(&error), "SCIM")
    }

    /// In the form of the admin API.
    pub(super) fn into_problem(self) -> Response {
        let problem = Problem::new(self.status(), self.detail.as_str());
        self.finish(problem.into_response(), "admin API")
    }

    fn status(&self) -> StatusCode {
        status_of(self.entry)
    }

    fn finish(&self, mut response: Response, realm: &str) -> Response {
        let headers = response.headers_mut();
        let asks = self.entry.status == 401 || self.error.is_some();
        if asks {
            let challenge = match self.error {
                None => format!("Bearer realm=\"{realm}\""),
                Some(error) => format!(
                    "Bearer realm=\"{realm}\", error=\"{error}\", error_description=\"{}\"",
                    quotable(&self.detail)
                ),
            };
            if let Ok(value) = HeaderValue::from_str(&challenge) {
                headers.insert(WWW_AUTHENTICATE, value);
            }
        }
        if let Some(seconds) = self.retry {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The characters that may stand in `error_description` (RFC 6750 section 3).
fn quotable(text: &str) -> String {
    let fits = |character: char| matches!(character, ' '..='!' | '#'..='[' | ']'..='~');
    text.chars()
        .map(|character| if fits(character) { character } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_stay_inside_their_quotes() {
        assert_eq!(quotable("a \"b\" \\ ü\r\n(c)"), "a ?b? ? ???(c)");
    }
}

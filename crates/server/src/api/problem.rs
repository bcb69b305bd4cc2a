//! Errors of the admin API (RFC 9457): what went wrong, where, and what to do about it.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use directory::RuleError;
use directory::census::CensusFault;
use directory::form::told;
use provision::ProvisionError;
use scim::SchemaError;
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

/// Longest `detail`, in characters; what a client sent may be part of it.
const DETAIL_CHARS_MAX: usize = 500;
/// What is said of a name that nothing has: to programs, since pages show lists.
pub(crate) const NAMES_TOLD: &str = " The list of them tells their names.";
/// What is said where each place that is wrong is told.
pub(crate) const PLACES_TOLD: &str = " 'errors' tells each place and what to do.";
/// What to do about what is not what belongs there.
const CORRECT: &str = "correct it; /api/v1/openapi.json tells what can be there";
/// Seconds after which a client may try again when the server is in trouble.
const RETRY_AFTER_SECONDS: &str = "10";

/// What went wrong and what to do about it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the status tells the kind of problem.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong in this case, and what to do.
    detail: String,
    /// Which member of the request it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// Everything that is wrong with the body, with rules, with a configuration or with the document of a schema.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<RuleProblem>,
}

/// Why a request was refused, beside the answer that says it, for the audit log.
#[derive(Clone)]
pub(crate) struct Why(pub(crate) String);

/// One thing that is wrong with the body, with rules, with a configuration or with the document of a schema.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RuleProblem {
    /// Where, from the top of the rules or the document.
    #[schema(example = "mapping[0].steps[1].regex_replace.pattern")]
    path: String,
    /// What is wrong.
    message: String,
    /// What to do.
    remedy: String,
}

impl From<&RuleError> for RuleProblem {
    fn from(error: &RuleError) -> Self {
        let RuleError {
            path,
            message,
            remedy,
        } = error.clone();
        Self {
            path,
            message,
            remedy,
        }
    }
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(DETAIL_CHARS_MAX) {
            detail.truncate(end);
            detail.push('…');
        }
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail,
            field: None,
            errors: Vec::new(),
        }
    }

    pub(super) fn not_found(what: &str, name: &str) -> Self {
        let detail = format!("There is no {what} '{name}'.{NAMES_TOLD}");
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn invalid(field: &'static str, detail: impl Into<String>) -> Self {
        Self {
            field: Some(field),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }

    /// For a path that is no text.
    pub(crate) fn unreadable_path() -> Self {
        let detail = "The path cannot be read. Numbers have digits only; names are percent-encoded as UTF-8.";
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    fn schema(errors: &[SchemaError]) -> Self {
        let problem = |error: &SchemaError| RuleProblem {
            path: error.path.clone(),
            message: error.message.clone(),
            remedy: error.remedy.clone(),
        };
        Self {
            field: Some("document"),
            errors: errors.iter().map(problem).collect(),
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("The schema is not valid, so nothing was changed.{PLACES_TOLD}"),
            )
        }
    }

    fn census(faults: &[CensusFault]) -> Self {
        let problem = |fault: &CensusFault| RuleProblem {
            path: fault.place.clone(),
            message: fault.message.clone(),
            remedy: fault.remedy.clone(),
        };
        Self {
            errors: faults.iter().map(problem).collect(),
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("This cannot be copied, so nothing was changed.{PLACES_TOLD}"),
            )
        }
    }

    /// For a configuration that cannot be carried out.
    pub(super) fn configuration(errors: &[RuleError]) -> Self {
        Self {
            field: Some("configuration"),
            errors: errors.iter().map(RuleProblem::from).collect(),
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!(
                    "The configuration cannot be carried out, so nothing was changed.{PLACES_TOLD}"
                ),
            )
        }
    }

    /// For a part of the settings with something wrong in it.
    fn part(field: &'static str, verb: &str, errors: &[RuleError]) -> Self {
        Self {
            field: Some(field),
            errors: errors.iter().map(RuleProblem::from).collect(),
            ..Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("The {field} {verb} not valid, so nothing was changed.{PLACES_TOLD}"),
            )
        }
    }

    /// For what a reader of a request says is wrong, with the place before it if there is one.
    pub(crate) fn misread(status: StatusCode, begin: &str, said: &str) -> Self {
        let end = said.rfind(" at line ").unwrap_or(said.len());
        let (path, reason) = match said[..end].split_once(": ") {
            Some((path, reason)) if !path.contains([' ', '`']) => (path, reason),
            _ => ("", &said[..end]),
        };
        let (message, remedy) = told(reason, CORRECT);
        let place = match path {
            "" => String::new(),
            path => format!("{path}: "),
        };
        let detail = format!("{begin}{place}{message}; {remedy}.");
        let path = path.to_owned();
        Self {
            errors: vec![RuleProblem {
                path,
                message,
                remedy,
            }],
            ..Self::new(status, detail)
        }
    }

    /// Everything that is wrong, in one text.
    fn reason(&self) -> String {
        let places = self.errors.iter();
        let places = places.map(|one| format!(" {}: {}.", one.path, one.message));
        format!("{}{}", self.detail, places.collect::<String>())
    }

    pub(crate) fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let why = Why(self.reason());
        let body = serde_json::to_string(&self).unwrap_or_default();
        let kind = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        response.extensions_mut().insert(why);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = HeaderValue::from_static(RETRY_AFTER_SECONDS);
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        Problem::into_response(self)
    }
}

/// What a failed use case means to a client of the admin API.
impl From<&ProvisionError> for Problem {
    fn from(error: &ProvisionError) -> Self {
        match error {
            ProvisionError::NotFound { what, name } => Self::not_found(what, name),
            ProvisionError::Exists { .. }
            | ProvisionError::Busy { .. }
            | ProvisionError::Conflict(_) => Self::new(StatusCode::CONFLICT, sentence(error)),
            ProvisionError::Invalid { field, message } => {
                Self::invalid(field, format!("'{field}' {message}."))
            }
            ProvisionError::Rules(errors) => Self::part("rules", "are", errors),
            ProvisionError::Limits(errors) => Self::part("limits", "are", errors),
            ProvisionError::Configuration(errors) => Self::configuration(errors),
            ProvisionError::Precedence(errors) => Self::part("precedence", "is", errors),
            ProvisionError::Schema(errors) => Self::schema(errors),
            ProvisionError::Census(faults) => Self::census(faults),
            ProvisionError::Scim(error) => {
                let status = StatusCode::from_u16(error.status);
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Self::new(status, error.detail.as_str())
            }
            ProvisionError::Store(error) => error.into(),
        }
    }
}

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Unavailable { .. } | StoreError::DiskFull => {
                tracing::warn!(%error, "a request of the admin API had to be put off");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The server cannot store anything at the moment. Try again later.",
                )
            }
            StoreError::Conflict { constraint } => {
                let detail = format!(
                    "The change collides with something that exists ({constraint}). Look at it again, then repeat."
                );
                Self::new(StatusCode::CONFLICT, detail)
            }
            error => {
                tracing::error!(%error, "a request of the admin API failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The server made a mistake. Its log tells more.",
                )
            }
        }
    }
}

impl From<ProvisionError> for Problem {
    fn from(error: ProvisionError) -> Self {
        Self::from(&error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

/// An error's text as a sentence.
fn sentence(error: &ProvisionError) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => text,
    }
}

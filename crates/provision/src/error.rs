//! Why a use case could not be carried out.

use directory::census::CensusFault;
use directory::rules::RuleError;
use scim::{SchemaError, ScimError};
use store::StoreError;

/// Why a use case could not be carried out. Nothing of it happened.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The request does not follow the protocol, or conflicts with what is stored.
    #[error("{}", .0.detail)]
    Scim(#[from] ScimError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules are not valid.
    #[error("the rules are not valid: {}", list(.0))]
    Rules(Vec<RuleError>),
    /// The limits are not valid.
    #[error("the limits are not valid: {}", list(.0))]
    Limits(Vec<RuleError>),
    /// What was said of whose word counts is not valid.
    #[error("the precedence is not valid: {}", list(.0))]
    Precedence(Vec<RuleError>),
    /// The document of a schema is not valid.
    #[error("the schema is not valid: {}", list(.0))]
    Schema(Vec<SchemaError>),
    /// A configuration cannot be carried out.
    #[error("the configuration is not valid: {}", list(.0))]
    Configuration(Vec<RuleError>),
    /// What was to be copied cannot be.
    #[error("what was to be copied is not valid: {}", list(.0))]
    Census(Vec<CensusFault>),
    /// Something is going on that has to end first.
    #[error("{what} is going on ({name}); wait for it to end, then try again")]
    Busy {
        /// What is going on.
        what: &'static str,
        /// Its id.
        name: String,
    },
    /// There is nothing of this name or id.
    #[error("there is no {what} '{name}'")]
    NotFound {
        /// connector, application, token, directory ...
        what: &'static str,
        /// What was looked for.
        name: String,
    },
    /// Something of this name exists already.
    #[error("{} {what} named '{name}' exists already; choose another name", article(.what))]
    Exists {
        /// connector, application ...
        what: &'static str,
        /// The name.
        name: String,
    },
    /// What was asked for does not go together with what is there now; says what to do.
    #[error("{0}")]
    Conflict(String),
    /// A value that cannot be used.
    #[error("{field}: {message}")]
    Invalid {
        /// Which value.
        field: &'static str,
        /// What is wrong with it and what to do.
        message: String,
    },
}

fn article(what: &str) -> &'static str {
    match what.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => "an",
        false => "a",
    }
}

fn list<E: ToString>(errors: &[E]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl ProvisionError {
    /// Nothing of this kind has that name.
    pub fn not_found(what: &'static str, name: &str) -> Self {
        Self::NotFound {
            what,
            name: name.to_owned(),
        }
    }

    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            message: message.into(),
        }
    }

    /// Names the taken thing when a unique rule of the schema was broken.
    pub(crate) fn or_exists(
        error: StoreError,
        constraint: &str,
        what: &'static str,
        name: &str,
    ) -> Self {
        match error {
            StoreError::Conflict { constraint: found } if found == constraint => Self::Exists {
                what,
                name: name.to_owned(),
            },
            other => Self::Store(other),
        }
    }
}

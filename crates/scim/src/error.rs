//! The one error of this room: what a client is told when a request is refused (RFC 7644, 3.12).

use std::ops::Deref;

use serde_json::{Value, json};

use crate::catalogue::Entry;
use crate::limits::DETAIL_CHARS_MAX;

/// Schema URN of an error body.
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The keyword that tells a program what was wrong (RFC 7644, table 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// A filter that can't be read, or that names what can't be filtered.
    InvalidFilter,
    /// A query with more results than may be given.
    TooMany,
    /// A name that somebody else has already.
    Uniqueness,
    /// A write to what is read-only or fixed.
    Mutability,
    /// A body that isn't what the operation expects.
    InvalidSyntax,
    /// A PATCH path that can't be read or names nothing.
    InvalidPath,
    /// A PATCH path without a target.
    NoTarget,
    /// A value of the wrong type, missing, or outside its limits.
    InvalidValue,
    /// A protocol version that isn't spoken.
    InvalidVers,
    /// A request that carries secrets where they would be logged.
    Sensitive,
    /// A cursor that this server didn't make, or made for another query (RFC 9865, 2.1).
    InvalidCursor,
    /// A cursor that is too old.
    ExpiredCursor,
    /// A size of pages that isn't possible.
    InvalidCount,
}

impl ScimType {
    /// The keyword as it is written in an answer.
    pub fn as_str(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "invalidFilter",
            ScimType::TooMany => "tooMany",
            ScimType::Uniqueness => "uniqueness",
            ScimType::Mutability => "mutability",
            ScimType::InvalidSyntax => "invalidSyntax",
            ScimType::InvalidPath => "invalidPath",
            ScimType::NoTarget => "noTarget",
            ScimType::InvalidValue => "invalidValue",
            ScimType::InvalidVers => "invalidVers",
            ScimType::Sensitive => "sensitive",
            ScimType::InvalidCursor => "invalidCursor",
            ScimType::ExpiredCursor => "expiredCursor",
            ScimType::InvalidCount => "invalidCount",
        }
    }
}

/// A refusal: an [`Entry`] of the catalogue, whose fields it has, and what this case is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
#[non_exhaustive]
pub struct ScimError {
    /// What kind of error it is.
    pub entry: &'static Entry,
    /// One or two sentences for the administrator of an identity provider: what was wrong and what to do.
    pub detail: String,
}

impl Deref for ScimError {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        self.entry
    }
}

impl ScimError {
    /// A long `detail` is cut.
    pub(crate) fn new(entry: &'static Entry, mut detail: String) -> ScimError {
        if let Some((end, _)) = detail.char_indices().nth(DETAIL_CHARS_MAX) {
            detail.truncate(end);
        }
        ScimError { entry, detail }
    }

    /// The body of the answer as text.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// The body of the answer. `status` is a text, as RFC 7644 has it.
    pub fn to_value(&self) -> Value {
        let mut body = json!({ "schemas": [ERROR_URN] });
        if let Some(scim_type) = self.scim_type {
            body["scimType"] = scim_type.as_str().into();
        }
        body["status"] = self.status.to_string().into();
        body["detail"] = self.detail.as_str().into();
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn an_error_is_rendered_with_its_status_as_text() {
        let taken = catalogue::USER_NAME_TAKEN.error("A user with this userName exists already.");
        insta::assert_snapshot!(taken.to_json(), @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"uniqueness","status":"409","detail":"A user with this userName exists already."}"#);
        insta::assert_snapshot!(catalogue::USER_NOT_FOUND.error("No such user.").to_json(), @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"No such user."}"#);
    }

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        let error = catalogue::USER_NOT_FOUND.error("ä".repeat(DETAIL_CHARS_MAX + 1));
        assert_eq!(error.detail.chars().count(), DETAIL_CHARS_MAX);
    }
}

//! The one error of this room: what a client is told when a request is refused (RFC 7644, 3.12).

use serde_json::{Value, json};

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

/// A refusal. `detail` is read by the administrator of an identity provider: it says what was wrong
/// and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ScimError {
    /// HTTP status code.
    pub status: u16,
    /// Keyword, for the cases that have one.
    pub scim_type: Option<ScimType>,
    /// One or two sentences for a person.
    pub detail: String,
}

/// Writes constructors that differ in status, keyword and purpose.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $scim_type:expr;)*) => {
        $($(#[$doc])*
        pub fn $name(detail: impl Into<String>) -> ScimError {
            ScimError::new($status, $scim_type, detail)
        })*
    };
}

impl ScimError {
    /// An error of any status; a long `detail` is cut.
    pub fn new(status: u16, scim_type: Option<ScimType>, detail: impl Into<String>) -> ScimError {
        let mut detail = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(DETAIL_CHARS_MAX) {
            detail.truncate(end);
        }
        ScimError {
            status,
            scim_type,
            detail,
        }
    }

    constructors! {
        /// 400: the body isn't what the operation expects.
        invalid_syntax = 400, Some(ScimType::InvalidSyntax);
        /// 400: the filter can't be read or used.
        invalid_filter = 400, Some(ScimType::InvalidFilter);
        /// 400: the PATCH path can't be read or names nothing.
        invalid_path = 400, Some(ScimType::InvalidPath);
        /// 400: the PATCH path has no target.
        no_target = 400, Some(ScimType::NoTarget);
        /// 400: a value is of the wrong type, missing or outside its limits.
        invalid_value = 400, Some(ScimType::InvalidValue);
        /// 400: more results than can be worked on at once.
        too_many = 400, Some(ScimType::TooMany);
        /// 400: no cursor of this server, or one of another query.
        invalid_cursor = 400, Some(ScimType::InvalidCursor);
        /// 400: the cursor is too old.
        expired_cursor = 400, Some(ScimType::ExpiredCursor);
        /// 400: pages can't have this size.
        invalid_count = 400, Some(ScimType::InvalidCount);
        /// 400: the attribute is read-only.
        mutability = 400, Some(ScimType::Mutability);
        /// 400: a request that is wrong in a way without a keyword.
        bad_request = 400, None;
        /// 401: no credential, or not a valid one.
        unauthorized = 401, None;
        /// 403: the credential is good, but not for this.
        forbidden = 403, None;
        /// 404: no such resource or route.
        not_found = 404, None;
        /// 405: the route has no such method.
        method_not_allowed = 405, None;
        /// 409: a name that somebody else has already.
        uniqueness = 409, Some(ScimType::Uniqueness);
        /// 412: the resource has another version than `If-Match` asks for.
        precondition_failed = 412, None;
        /// 413: the request is larger than allowed.
        too_large = 413, None;
        /// 415: the body isn't JSON, or is encoded.
        unsupported_media_type = 415, None;
        /// 429: too many requests.
        too_many_requests = 429, None;
        /// 500: a fault of ours; the detail says nothing of its inside.
        internal = 500, None;
        /// 501: a part of SCIM that isn't offered.
        not_implemented = 501, None;
        /// 503: try again later.
        unavailable = 503, None;
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

    #[test]
    fn an_error_is_rendered_with_its_status_as_text() {
        let taken = ScimError::uniqueness("A user with this userName exists already.");
        insta::assert_snapshot!(taken.to_json(), @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"uniqueness","status":"409","detail":"A user with this userName exists already."}"#);
        insta::assert_snapshot!(ScimError::not_found("No such user.").to_json(), @r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"No such user."}"#);
    }

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        let error = ScimError::not_found("ä".repeat(DETAIL_CHARS_MAX + 1));
        assert_eq!(error.detail.chars().count(), DETAIL_CHARS_MAX);
    }
}

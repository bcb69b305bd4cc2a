//! Why a Crowd server refuses, and how it says so.

use std::fmt;

use crate::format::Format;
use crate::limits::{ECHO_CHARS_MAX, MESSAGE_CHARS_MAX};
use crate::{json, xml};

/// The closed list of reasons that clients know. Any other text reads as null in Atlassian's client and then
/// counts as a plain failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The names are Crowd's own words; `default_status` says what each amounts to.
pub enum Reason {
    ApplicationAccessDenied,
    ApplicationPermissionDenied,
    ApplicationNotFound,
    ExpiredCredential,
    GroupNotFound,
    IllegalArgument,
    InactiveAccount,
    InvalidUserAuthentication,
    InvalidCredential,
    InvalidEmail,
    InvalidGroup,
    InvalidUser,
    InvalidSsoToken,
    InvalidMembership,
    MembershipNotFound,
    MembershipAlreadyExists,
    NestedGroupsNotSupported,
    UnsupportedOperation,
    UserNotFound,
    OperationFailed,
    EventTokenExpired,
    IncrementalSyncNotAvailable,
    WebhookNotFound,
    ApplicationModificationFailed,
    ApplicationAlreadyExists,
    DirectoryNotFound,
    PermissionDenied,
    InvalidChangeEmailToken,
    SameEmailAddress,
}

impl Reason {
    /// Every reason, in the order of the list in the documentation.
    pub const ALL: [Reason; 29] = [
        Reason::ApplicationAccessDenied,
        Reason::ApplicationPermissionDenied,
        Reason::ApplicationNotFound,
        Reason::ExpiredCredential,
        Reason::GroupNotFound,
        Reason::IllegalArgument,
        Reason::InactiveAccount,
        Reason::InvalidUserAuthentication,
        Reason::InvalidCredential,
        Reason::InvalidEmail,
        Reason::InvalidGroup,
        Reason::InvalidUser,
        Reason::InvalidSsoToken,
        Reason::InvalidMembership,
        Reason::MembershipNotFound,
        Reason::MembershipAlreadyExists,
        Reason::NestedGroupsNotSupported,
        Reason::UnsupportedOperation,
        Reason::UserNotFound,
        Reason::OperationFailed,
        Reason::EventTokenExpired,
        Reason::IncrementalSyncNotAvailable,
        Reason::WebhookNotFound,
        Reason::ApplicationModificationFailed,
        Reason::ApplicationAlreadyExists,
        Reason::DirectoryNotFound,
        Reason::PermissionDenied,
        Reason::InvalidChangeEmailToken,
        Reason::SameEmailAddress,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reason::ApplicationAccessDenied => "APPLICATION_ACCESS_DENIED",
            Reason::ApplicationPermissionDenied => "APPLICATION_PERMISSION_DENIED",
            Reason::ApplicationNotFound => "APPLICATION_NOT_FOUND",
            Reason::ExpiredCredential => "EXPIRED_CREDENTIAL",
            Reason::GroupNotFound => "GROUP_NOT_FOUND",
            Reason::IllegalArgument => "ILLEGAL_ARGUMENT",
            Reason::InactiveAccount => "INACTIVE_ACCOUNT",
            Reason::InvalidUserAuthentication => "INVALID_USER_AUTHENTICATION",
            Reason::InvalidCredential => "INVALID_CREDENTIAL",
            Reason::InvalidEmail => "INVALID_EMAIL",
            Reason::InvalidGroup => "INVALID_GROUP",
            Reason::InvalidUser => "INVALID_USER",
            Reason::InvalidSsoToken => "INVALID_SSO_TOKEN",
            Reason::InvalidMembership => "INVALID_MEMBERSHIP",
            Reason::MembershipNotFound => "MEMBERSHIP_NOT_FOUND",
            Reason::MembershipAlreadyExists => "MEMBERSHIP_ALREADY_EXISTS",
            Reason::NestedGroupsNotSupported => "NESTED_GROUPS_NOT_SUPPORTED",
            Reason::UnsupportedOperation => "UNSUPPORTED_OPERATION",
            Reason::UserNotFound => "USER_NOT_FOUND",
            Reason::OperationFailed => "OPERATION_FAILED",
            Reason::EventTokenExpired => "EVENT_TOKEN_EXPIRED",
            Reason::IncrementalSyncNotAvailable => "INCREMENTAL_SYNC_NOT_AVAILABLE",
            Reason::WebhookNotFound => "WEBHOOK_NOT_FOUND",
            Reason::ApplicationModificationFailed => "APPLICATION_MODIFICATION_FAILED",
            Reason::ApplicationAlreadyExists => "APPLICATION_ALREADY_EXISTS",
            Reason::DirectoryNotFound => "DIRECTORY_NOT_FOUND",
            Reason::PermissionDenied => "PERMISSION_DENIED",
            Reason::InvalidChangeEmailToken => "INVALID_CHANGE_EMAIL_TOKEN",
            Reason::SameEmailAddress => "SAME_EMAIL_ADDRESS",
        }
    }

    /// The reason a word on the wire names.
    pub fn parse(text: &str) -> Option<Reason> {
        Reason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
    }

    /// The status that goes with this reason unless the place says otherwise (see [`CrowdError::in_body`]).
    ///
    /// None of them is 401, which a client takes for wrong credentials of the application; not even
    /// `PERMISSION_DENIED`, for which Crowd's own administration has 401.
    pub const fn default_status(self) -> u16 {
        match self {
            Reason::ApplicationAccessDenied
            | Reason::ApplicationPermissionDenied
            | Reason::PermissionDenied => 403,
            Reason::ApplicationNotFound
            | Reason::GroupNotFound
            | Reason::InvalidSsoToken
            | Reason::MembershipNotFound
            | Reason::UserNotFound
            | Reason::WebhookNotFound => 404,
            Reason::MembershipAlreadyExists => 409,
            Reason::EventTokenExpired => 410,
            Reason::OperationFailed | Reason::ApplicationModificationFailed => 500,
            _ => 400,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: a status, a reason of the closed list, and one line for an administrator's log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct CrowdError {
    /// The HTTP status.
    pub status: u16,
    /// Why, in Crowd's words.
    pub reason: Reason,
    /// Why, in ours: one line without secrets, at most [`MESSAGE_CHARS_MAX`] characters.
    pub message: String,
    /// Seconds after which asking again makes sense, if that is known.
    pub retry_after: Option<u64>,
}

impl CrowdError {
    /// Makes a refusal with the status that goes with its reason.
    pub fn new(reason: Reason, message: impl AsRef<str>) -> CrowdError {
        CrowdError {
            status: reason.default_status(),
            reason,
            message: one_line(message.as_ref(), MESSAGE_CHARS_MAX),
            retry_after: None,
        }
    }

    /// Too much at once: nothing was looked at, so nothing is said about the user or the password.
    ///
    /// To a product every other reason than those about a user is trouble of the directory, which passes.
    pub fn too_many(message: impl AsRef<str>, retry_after: u64) -> CrowdError {
        CrowdError {
            status: 429,
            retry_after: Some(retry_after),
            ..CrowdError::new(Reason::OperationFailed, message)
        }
    }

    /// A missing or wrong parameter, or a body that cannot be read.
    pub fn illegal_argument(message: impl AsRef<str>) -> CrowdError {
        CrowdError::new(Reason::IllegalArgument, message)
    }

    /// No user of this name is visible to the application.
    pub fn user_not_found(name: &str) -> CrowdError {
        CrowdError::new(
            Reason::UserNotFound,
            format!("User <{}> does not exist", echo(name)),
        )
    }

    /// No group of this name is visible to the application.
    pub fn group_not_found(name: &str) -> CrowdError {
        CrowdError::new(
            Reason::GroupNotFound,
            format!("Group <{}> does not exist", echo(name)),
        )
    }

    /// The child is not a member of the parent.
    pub fn membership_not_found(child: &str, parent: &str) -> CrowdError {
        let message = format!("<{}> is not a member of <{}>", echo(child), echo(parent));
        CrowdError::new(Reason::MembershipNotFound, message)
    }

    /// The same refusal about a thing that the request's body named: 400 where the path would give 404.
    pub fn in_body(self) -> CrowdError {
        CrowdError {
            status: 400,
            ..self
        }
    }

    /// The same refusal under another status, e.g. 405, 413 or 503.
    pub fn with_status(self, status: u16) -> CrowdError {
        CrowdError { status, ..self }
    }

    /// Writes the error entity.
    pub fn to_bytes(&self, format: Format) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        match format {
            Format::Xml => {
                xml::declaration(&mut out);
                xml::open(&mut out, "error");
                xml::element(&mut out, "reason", self.reason.as_str());
                xml::element(&mut out, "message", &self.message);
                xml::close(&mut out, "error");
            }
            Format::Json => {
                let mut object = json::Object::open(&mut out);
                object.text("reason", self.reason.as_str());
                object.text("message", &self.message);
                object.close();
            }
        }
        out
    }
}

/// A caller's own words, short enough and tame enough to stand in a message.
pub fn echo(text: &str) -> String {
    one_line(text, ECHO_CHARS_MAX)
}

/// One line of at most `chars_max` characters: controls become spaces, what is too long ends in an ellipsis.
fn one_line(text: &str, chars_max: usize) -> String {
    let tame = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text.chars().take(chars_max).map(tame).collect();
    if text.chars().nth(chars_max).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(error: &CrowdError, format: Format) -> String {
        String::from_utf8(error.to_bytes(format)).unwrap()
    }

    #[test]
    fn the_entity_in_both_formats() {
        let error = CrowdError::user_not_found("mira");
        insta::assert_snapshot!(text(&error, Format::Xml), @r#"
        <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
        <error><reason>USER_NOT_FOUND</reason><message>User &lt;mira&gt; does not exist</message></error>
        "#);
        insta::assert_snapshot!(text(&error, Format::Json), @r#"{"reason":"USER_NOT_FOUND","message":"User <mira> does not exist"}"#);
    }

    #[test]
    fn a_message_is_one_tame_line() {
        let error = CrowdError::illegal_argument("a\r\nb\u{1b}[31m\u{0}");
        assert_eq!(error.message, "a  b [31m ");
        assert_eq!(
            CrowdError::illegal_argument("x".repeat(500)).message.len(),
            500
        );
        let long = CrowdError::illegal_argument("x".repeat(501)).message;
        assert_eq!(long.chars().count(), 500);
        assert!(long.ends_with('…'));
        let echoed = CrowdError::user_not_found(&"ü".repeat(10_000)).message;
        assert!(echoed.chars().count() < 100);
    }

    #[test]
    fn no_reason_is_a_401_and_each_parses_back() {
        for reason in Reason::ALL {
            assert_ne!(reason.default_status(), 401);
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Reason::parse("user_not_found"), None);
    }

    #[test]
    fn a_thing_named_in_the_body_is_a_bad_request() {
        let error = CrowdError::group_not_found("g").in_body();
        assert_eq!((error.status, error.reason), (400, Reason::GroupNotFound));
    }
}

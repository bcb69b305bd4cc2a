//! Why a request to the Crowd face was not carried out, from every room below it.

use std::io;

use ::crowd::{CrowdError, Reason};
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use provision::{HashError, LocalWriteError, ProvisionError};
use store::StoreError;

use crate::body::BodyError;

/// A refusal on its way out. As a response it is only a status with the error laid beside it;
/// [`super::negotiate::finish`] writes the entity in the format the caller reads.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(CrowdError);

impl Refusal {
    /// The application may not do this, or nobody may do it here; `message` says why.
    pub(super) fn forbidden(message: impl AsRef<str>) -> Refusal {
        CrowdError::new(Reason::ApplicationPermissionDenied, message).into()
    }

    pub(super) fn into_error(self) -> CrowdError {
        self.0
    }

    fn failed(message: &str) -> CrowdError {
        CrowdError::new(Reason::OperationFailed, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self.0);
        response
    }
}

impl From<CrowdError> for Refusal {
    fn from(error: CrowdError) -> Refusal {
        Refusal(error)
    }
}

/// What went wrong below is for our log; the caller hears whether trying again makes sense.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        let error = match error {
            StoreError::Busy | StoreError::Unavailable { .. } | StoreError::DiskFull => {
                tracing::warn!(%error, "a Crowd request could not be served");
                Refusal::failed("The database is not available at the moment. Please try again.")
                    .with_status(503)
            }
            _ => {
                tracing::error!(%error, "a Crowd request failed");
                Refusal::failed("The server made a mistake. Its log tells more.")
            }
        };
        Refusal(error)
    }
}

impl From<HashError> for Refusal {
    fn from(error: HashError) -> Refusal {
        match error {
            HashError::Busy => Refusal(
                Refusal::failed("Too many passwords are being checked. Please try again.")
                    .with_status(503),
            ),
            HashError::Failed(_) => {
                tracing::error!(%error, "a password could not be checked");
                Refusal(Refusal::failed(
                    "The password cannot be checked. The server's log tells more.",
                ))
            }
        }
    }
}

/// Writing into a buffer cannot fail; writing into a connection fails when the caller has gone.
impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        tracing::debug!(%error, "an answer could not be written to its end");
        Refusal(Refusal::failed("The answer could not be written."))
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Refusal {
        let (status, message) = match error {
            BodyError::TooLarge(bytes_max) => {
                (413, format!("The body may have at most {bytes_max} bytes."))
            }
            BodyError::Encoded => (415, "The body must not be compressed.".to_owned()),
            BodyError::TooSlow => (408, "The body did not arrive in time.".to_owned()),
            BodyError::Broken => (400, "The body could not be read to its end.".to_owned()),
        };
        Refusal(CrowdError::illegal_argument(message).with_status(status))
    }
}

impl From<ProvisionError> for Refusal {
    fn from(error: ProvisionError) -> Refusal {
        match error {
            ProvisionError::Store(error) => error.into(),
            ProvisionError::Invalid { .. } => {
                Refusal(CrowdError::illegal_argument(error.to_string()))
            }
            _ => {
                tracing::error!(%error, "a Crowd request failed");
                Refusal(Refusal::failed(
                    "The server made a mistake. Its log tells more.",
                ))
            }
        }
    }
}

impl From<LocalWriteError> for Refusal {
    fn from(error: LocalWriteError) -> Refusal {
        let message = error.to_string();
        let reason = match error {
            LocalWriteError::UserNotFound(_) => Reason::UserNotFound,
            LocalWriteError::GroupNotFound(_) => Reason::GroupNotFound,
            LocalWriteError::MembershipNotFound { .. }
            | LocalWriteError::ChildGroupNotFound { .. } => Reason::MembershipNotFound,
            LocalWriteError::MembershipExists { .. } | LocalWriteError::ChildGroupExists { .. } => {
                Reason::MembershipAlreadyExists
            }
            LocalWriteError::Circle { .. } => Reason::InvalidMembership,
            LocalWriteError::GroupExists(_) => Reason::InvalidGroup,
            LocalWriteError::UserExists(_)
            | LocalWriteError::NameReserved { .. }
            | LocalWriteError::InvalidUser(_) => Reason::InvalidUser,
            LocalWriteError::Refused(_) => Reason::ApplicationPermissionDenied,
            LocalWriteError::Failed(ProvisionError::Store(error)) => return error.into(),
            LocalWriteError::Failed(error) => {
                tracing::error!(%error, "a local write failed");
                return Refusal(Refusal::failed(
                    "The server made a mistake. Its log tells more.",
                ));
            }
        };
        Refusal(CrowdError::new(reason, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_and_reason(refusal: impl Into<Refusal>) -> (u16, Reason) {
        let error = refusal.into().into_error();
        (error.status, error.reason)
    }

    #[test]
    fn our_own_trouble_is_never_the_callers_fault() {
        let unavailable = StoreError::Unavailable {
            what: "postgres://user:secret@db".into(),
        };
        let refusal = Refusal::from(unavailable.clone()).into_error();
        assert!(!refusal.message.contains("secret"), "{refusal}");
        for trouble in [StoreError::Busy, StoreError::DiskFull, unavailable] {
            assert_eq!(
                status_and_reason(trouble),
                (503, Reason::OperationFailed),
                "the product keeps what it has and asks again"
            );
        }
        let damage = StoreError::Corrupt {
            what: "directory_user.status".into(),
        };
        assert_eq!(status_and_reason(damage), (500, Reason::OperationFailed));
        assert_eq!(
            status_and_reason(HashError::Busy),
            (503, Reason::OperationFailed)
        );
        let failed = LocalWriteError::Failed(ProvisionError::Store(StoreError::Busy));
        assert_eq!(status_and_reason(failed), (503, Reason::OperationFailed));
    }

    #[test]
    fn bodies_are_refused_with_the_status_that_says_why() {
        for (error, status) in [
            (BodyError::TooLarge(1), 413),
            (BodyError::Encoded, 415),
            (BodyError::TooSlow, 408),
            (BodyError::Broken, 400),
        ] {
            assert_eq!(status_and_reason(error), (status, Reason::IllegalArgument));
        }
    }
}

//! Single sign-on among products and webhooks, which this server does not offer: nobody has a session, so
//! asking for one finds none and ending one is done already.

use ::crowd::session::{COOKIE_NAME, CookieConfig};
use ::crowd::{CrowdError, Reason};

use super::Refusal;
use super::call::Call;
use super::reply::{Reply, document, nothing};

/// `GET config/cookie`: some clients' connection test.
pub(super) async fn cookie(call: Call) -> Reply {
    let secure = call.application.base_url.starts_with("https:");
    let config = CookieConfig {
        domain: "",
        secure,
        name: COOKIE_NAME,
    };
    Ok(document(call.format(), config.to_bytes(call.format())))
}

/// `POST session`
pub(super) async fn create(_call: Call) -> Refusal {
    let message = "There is no Crowd single sign-on here. Use the identity provider's single sign-on in the product.";
    CrowdError::new(Reason::UnsupportedOperation, message).into()
}

/// `GET session/{token}`, `POST session/{token}`
pub(super) async fn unknown(_call: Call) -> Refusal {
    CrowdError::new(
        Reason::InvalidSsoToken,
        "This token is unknown or has expired.",
    )
    .into()
}

/// `DELETE session/{token}`
pub(super) async fn end(_call: Call) -> Reply {
    Ok(nothing())
}

/// `DELETE session?username=`
pub(super) async fn end_all(call: Call) -> Reply {
    call.username()?;
    Ok(nothing())
}

/// `POST webhook`
pub(super) async fn no_webhooks(_call: Call) -> Refusal {
    let message = "There are no webhooks here. Ask for events instead.";
    CrowdError::new(Reason::UnsupportedOperation, message).into()
}

/// `GET webhook/{id}`, `DELETE webhook/{id}`
pub(super) async fn unknown_webhook(_call: Call) -> Refusal {
    CrowdError::new(Reason::WebhookNotFound, "There is no such webhook.").into()
}

//! Who sends messages: asked for here, done by who may reach others.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use directory::notification::{Message, Way};
use jiff::Timestamp;

use crate::Provision;

/// What sending gives: what the other end said, or why it was not sent, for the administrator.
pub type Sent<'s> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 's>>;

/// Something that is posted to an endpoint, signed as Standard Webhooks say.
#[derive(Clone)]
pub struct Letter {
    /// Where to.
    pub url: String,
    /// The key of the signature.
    pub secret: String,
    /// The same whenever the same is sent.
    pub id: String,
    /// When it is sent.
    pub at: Timestamp,
    /// JSON.
    pub body: String,
}

/// Sends messages to administrators and to endpoints.
pub trait NotificationSender: Send + Sync {
    /// Sends a message, with the secret that the way needs.
    fn send<'s>(&'s self, way: &'s Way, secret: Option<&'s str>, message: &'s Message) -> Sent<'s>;

    /// Posts a letter.
    fn post<'s>(&'s self, letter: &'s Letter) -> Sent<'s>;
}

impl Provision {
    /// Says by whom messages are sent; without, none is.
    pub fn notify_with(&self, sender: Arc<dyn NotificationSender>) {
        self.inner.sender.get_or_init(|| sender);
    }
}

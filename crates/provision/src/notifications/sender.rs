//! Who sends messages: asked for here, done by who may reach others.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use directory::notification::{Message, Way};

use crate::Provision;

/// What sending gives: what the other end said, or why it was not sent, for the administrator.
pub type Sent<'s> = Pin<Box<dyn Future<Output = Result<String, String>> + Send + 's>>;

/// Sends messages to administrators.
pub trait NotificationSender: Send + Sync {
    /// Sends a message, with the secret that the way needs.
    fn send<'s>(&'s self, way: &'s Way, secret: Option<&'s str>, message: &'s Message) -> Sent<'s>;
}

impl Provision {
    /// Says by whom messages are sent; without, none is.
    pub fn notify_with(&self, sender: Arc<dyn NotificationSender>) {
        self.inner.sender.get_or_init(|| sender);
    }
}

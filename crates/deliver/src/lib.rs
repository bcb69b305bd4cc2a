//! What we tell others: the only HTTP client of the server, what is sent with it, and mail.
//!
//! Every request to somebody else goes through [`Client`]: it has an end in time and in size, it
//! follows nobody to another host, and it reaches no address that the [`Guard`](provision::Guard) refuses. Mail goes to
//! addresses that the same guard has checked, and has an end in time as well.

mod client;
mod crowd_server;
mod issuer;
mod mail;
mod notifications;
mod open_id;
mod rounds;
mod subscriptions;
mod webhooks;

pub use client::{Answer, CallError, Client, Request};
pub use crowd_server::{CrowdClient, CrowdServer, CrowdServerError, Progress};
pub use issuer::IssuerClient;
pub use notifications::{Notifier, tell_administrators, tell_administrators_once};
pub use open_id::OpenIdAsker;
pub use subscriptions::{tell_subscriptions, tell_subscriptions_once};
pub use webhooks::{call_webhooks, call_webhooks_once};

//! What we tell others: the only HTTP client of the server, and what is sent with it.
//!
//! Every request to somebody else goes through [`Client`]: it has an end in time and in size, it
//! follows nobody to another host, and it reaches no address that the [`Guard`] refuses.

mod client;
mod guard;
mod issuer;
mod webhooks;

pub use client::{Answer, CallError, Client, Request, SetupError};
pub use guard::{Guard, Reach};
pub use issuer::IssuerClient;
pub use webhooks::{call_webhooks, call_webhooks_once};

//! Who may ask, and how: the only HTTP server, with thin faces for SCIM, Crowd and the admin API.
//!
//! A request passes, from outside in: [`connection`] (limits on slow and idle peers), [`router`]
//! (request id, security headers, panics, time limit, metrics), [`authority`] (who is it), and the
//! handler of its face. Handlers take the proof of authority as an argument and decide nothing.

pub mod authority;
pub mod body;

mod api;
mod app;
mod audit;
mod connection;
mod crowd;
mod forwarded;
mod front;
mod health;
mod limits;
mod local;
mod metrics;
mod oauth;
mod open_id;
mod operations;
mod qr;
mod record;
mod request_line;
mod router;
mod scim;
mod seen;
mod staging;
mod traffic;
mod ui;
mod walk;
pub mod yaml;

pub use app::{App, Settings};
pub use connection::serve;
pub use limits::Limits;
pub use local::{Caller, LocalApi};
pub use record::Retention;
pub use router::router;
pub use staging::{FailedRestore, RestoreOrder};

/// Where somebody who was invited makes an account.
pub fn welcome_link(base_url: &str, invitation: &str) -> String {
    format!("{base_url}/console/welcome/{invitation}")
}

/// The OpenAPI document of the admin API, as JSON.
pub fn openapi() -> String {
    api::openapi()
}
